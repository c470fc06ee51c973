//! What a program passed to the call that it comes back from. Nothing is kept from the call's entry: the program's registers
//! lie at the top of the kernel's stack, where calls leave those of their arguments as they were.

use aya_ebpf::helpers::generated;

use crate::compat;
use crate::kernel::{Place as _, probe, pt_regs, task_struct};

/// How long kernel stacks are: 16 KiB, with KASAN 32 KiB, and with pages of 64 KiB one of those.
const STACKS: [u64; 3] = [16 << 10, 32 << 10, 64 << 10];
/// What some kernels for x86 leave free above the registers (CONFIG_X86_FRED, arch/x86/include/asm/thread_info.h).
const PADDING: u64 = 16;

/// `cs` of 64-bit programs on x86, and of 32-bit ones.
const USER_CS: u16 = 0x33;
const USER32_CS: u16 = 0x23;
/// The mode in arm64's `pstate`: zero for 64-bit programs.
const MODE_MASK: u16 = 0x1f;

/// What was passed to an open.
#[derive(Clone, Copy)]
pub struct Passed {
    /// Where the name lies in the program's memory; 0: there is none.
    pub name: u64,
    pub flags: u32,
    /// The permissions for a file that is made.
    pub mode: u16,
    /// 1: flags and permissions are known.
    pub known: u16,
}

impl Passed {
    pub const NOTHING: Passed = Passed { name: 0, flags: 0, mode: 0, known: 0 };
}

/// Calls that open a file, by how they are passed their arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    Open,
    Creat,
    OpenAt,
    OpenAt2,
    ByHandle,
}

/// What was passed to the open that the current thread comes back from. A name that another thread changed meanwhile is
/// told as it is by now.
#[inline(never)]
pub fn to_open(current: task_struct) -> Passed {
    let stack = current.stack();
    let size = pt_regs::at(0).end().address;
    if stack == 0 || size == 0 {
        return Passed::NOTHING;
    }
    for length in STACKS {
        for padding in [0, PADDING] {
            let registers = pt_regs::at(stack.wrapping_add(length - padding).wrapping_sub(size));
            let narrow = compat::is_call(current);
            if let Some(call) = if narrow { narrow_call(registers) } else { call(registers) } {
                return of(call, arguments(registers, narrow));
            }
        }
    }
    Passed::NOTHING
}

/// Which call these registers are of; `None` when they are no registers, or those of another.
#[inline(always)]
fn call(registers: pt_regs) -> Option<Call> {
    let mode: u16 = probe(registers.mode().address);
    let number: u32 = probe(registers.number().address);
    // arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
    match (mode == USER_CS, mode & MODE_MASK == 0, number) {
        (true, _, 2) => Some(Call::Open),
        (true, _, 85) => Some(Call::Creat),
        (true, _, 257) | (_, true, 56) => Some(Call::OpenAt),
        (true, _, 437) | (_, true, 437) => Some(Call::OpenAt2),
        (true, _, 304) | (_, true, 265) => Some(Call::ByHandle),
        _ => None,
    }
}

/// The same of a 32-bit call, which a 64-bit program may make too.
#[inline(always)]
fn narrow_call(registers: pt_regs) -> Option<Call> {
    let mode: u16 = probe(registers.mode().address);
    let number: u32 = probe(registers.number().address);
    // arch/x86/entry/syscalls/syscall_32.tbl.
    match (mode == USER_CS || mode == USER32_CS, number) {
        (true, 5) => Some(Call::Open),
        (true, 8) => Some(Call::Creat),
        (true, 295) => Some(Call::OpenAt),
        (true, 437) => Some(Call::OpenAt2),
        (true, 342) => Some(Call::ByHandle),
        _ => None,
    }
}

/// The first four arguments of a call. Those of a 32-bit one have 32 bits: the kernel does not look at the rest.
#[inline(always)]
fn arguments(registers: pt_regs, narrow: bool) -> [u64; 4] {
    if !narrow {
        return [registers.first(), registers.second(), registers.third(), registers.fourth()];
    }
    let all = [registers.narrow_first(), registers.narrow_second(), registers.third(), registers.second()];
    all.map(|argument| argument & 0xffff_ffff)
}

#[inline(always)]
fn of(call: Call, [first, second, third, fourth]: [u64; 4]) -> Passed {
    /// `O_CREAT | O_WRONLY | O_TRUNC`, which is what creat means.
    const CREAT: u64 = 0o1101;
    let passed = |name, flags: u64, mode: u64| Passed { name, flags: flags as u32, mode: mode as u16, known: 1 };
    match call {
        Call::Open => passed(first, second, third),
        Call::Creat => passed(first, CREAT, second),
        Call::OpenAt => passed(second, third, fourth),
        Call::ByHandle => passed(0, third, 0),
        Call::OpenAt2 => {
            // struct open_how begins with its flags and the permissions.
            let mut how = [0_u64; 2];
            // SAFETY: a live local of that size; the kernel checks the source.
            let failed = unsafe { generated::bpf_probe_read_user((&raw mut how).cast(), 16, third as *const _) } != 0;
            if failed { Passed { name: second, ..Passed::NOTHING } } else { passed(second, how[0], how[1]) }
        }
    }
}
