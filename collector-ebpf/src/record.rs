//! Where a record is put together: a fixed part and a tail that grows. It is too big for the stack (512 bytes), so each
//! CPU has a page for it. Hooks in process context do not nest; the iterator, which they may interrupt, has its own, and so
//! have hooks of the full layer, which a process that is preempted in one may leave to another in the same one. Hooks in
//! interrupt context build small records on the stack.

use core::ptr;

use aya_ebpf::helpers::{bpf_get_smp_processor_id, bpf_ktime_get_boot_ns, generated};
use aya_ebpf::macros::map;
use aya_ebpf::maps::PerCpuArray;
use lanner_collector_abi::{Drop, Header, Key, Plain};

use crate::kernel::task_struct;
use crate::{compat, ring, task};

/// The tail's position stays below this. With what stands around it, a scratch page must not be longer than the 32 KiB
/// that the kernel allows an element of a per-CPU map; and all that an exec can tell must fit.
const TAIL_LIMIT: u32 = 27 * 1024;
/// The most that one write adds.
const WRITE_MAX: u32 = 4096;
/// Room before the tail for the biggest fixed part.
const HEAD: usize = 512;

#[repr(C, align(8))]
pub struct Scratch {
    /// Bytes of the tail so far. It is kept here because what the verifier loads from a map it knows nothing of: a
    /// counter in a register or on the stack would have another range after each step of a loop, and every path
    /// through the loop would be looked at again and again.
    used: u64,
    /// 1 while a hook of the full layer uses it.
    busy: u64,
    head: [u8; HEAD],
    tail: [u8; (TAIL_LIMIT + WRITE_MAX) as usize],
}

#[map]
static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(3, 0);

/// Whose scratch page.
#[derive(Clone, Copy)]
pub enum Slot {
    Hook = 0,
    Iterator = 1,
    Function = 2,
}

/// A record under construction.
pub struct Record<R: Plain> {
    /// The fixed part. It holds what the record before left: write every field.
    pub head: &'static mut R,
    /// What follows it.
    pub tail: Tail,
    slot: Slot,
}

/// The growing part of a record.
#[derive(Clone, Copy)]
pub struct Tail {
    scratch: *mut Scratch,
}

impl<R: Plain> Record<R> {
    /// Begins a record, which must be sent in [`Slot::Function`]. There, `None` says that another process was preempted
    /// while it uses the slot: that is counted. Elsewhere it never happens, but the verifier cannot know.
    #[inline(always)]
    pub fn begin(slot: Slot) -> Option<Self> {
        const { assert!(size_of::<R>() <= HEAD && size_of::<R>() % 8 == 0) };
        let scratch = SCRATCH.get_ptr_mut(slot as u32)?;
        // SAFETY: the map's own element.
        let base = unsafe { (&raw mut (*scratch).tail).cast::<u8>() };
        // SAFETY: the fixed part ends where the tail begins, and has room there; aligned to 8, any bytes are a valid
        // `R`, and this CPU's hooks do not nest in a slot.
        let head = unsafe { &mut *base.sub(size_of::<R>()).cast::<R>() };
        // SAFETY: the map's own element.
        if matches!(slot, Slot::Function) && unsafe { swap(&raw mut (*scratch).busy, 1) } != 0 {
            ring::count_drop(Drop::MapFull);
            return None;
        }
        let tail = Tail { scratch };
        tail.set_used(0);
        Some(Record { head, tail, slot })
    }

    /// Its length: fixed part and tail.
    #[inline(always)]
    pub fn len(&self) -> u32 {
        size_of::<R>() as u32 + bounded::<{ TAIL_LIMIT - 1 }>(self.tail.used())
    }

    /// Where it lies.
    #[inline(always)]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        (&raw mut *self.head).cast()
    }

    /// Sends it.
    #[inline(always)]
    pub fn submit(mut self) {
        let len = self.len();
        // SAFETY: `len` is at most the fixed part and the tail's limit.
        unsafe { ring::output(self.as_mut_ptr(), u64::from(len)) };
        if matches!(self.slot, Slot::Function) {
            // SAFETY: the map's own element, claimed by `begin`.
            unsafe { ptr::write_volatile(&raw mut (*self.tail.scratch).busy, 0) };
        }
    }
}

impl Tail {
    /// Bytes so far.
    #[inline(always)]
    pub fn used(self) -> u32 {
        // SAFETY: the map's own element. Volatile, so that the compiler does not keep it in a register.
        unsafe { ptr::read_volatile(&raw const (*self.scratch).used) as u32 }
    }

    #[inline(always)]
    fn set_used(self, used: u32) {
        // SAFETY: the map's own element.
        unsafe { ptr::write_volatile(&raw mut (*self.scratch).used, u64::from(used)) }
    }

    /// Where the next byte goes. `WRITE_MAX` bytes of room are there.
    #[inline(always)]
    fn end(self) -> *mut u8 {
        // SAFETY: the position is below the limit.
        unsafe { (&raw mut (*self.scratch).tail).cast::<u8>().add(bounded::<{ TAIL_LIMIT - 1 }>(self.used()) as usize) }
    }

    /// Appends a NUL-terminated string of the kernel, at most 255 bytes and the NUL. Says how many bytes were added.
    #[inline(always)]
    pub fn push_str(self, address: u64) -> u32 {
        // SAFETY: 256 bytes are there; the kernel checks the source.
        let n = unsafe { generated::bpf_probe_read_kernel_str(self.end().cast(), 256, address as *const _) };
        self.grow(n)
    }

    /// Appends `len` bytes of the kernel's memory, at most 4095.
    #[inline(always)]
    pub fn push_kernel(self, address: u64, len: u32) {
        let len = bounded::<{ WRITE_MAX - 1 }>(len);
        // SAFETY: `len` bytes are there; the kernel checks the source.
        if unsafe { generated::bpf_probe_read_kernel(self.end().cast(), len, address as *const _) } == 0 {
            self.grow(i64::from(len));
        }
    }

    /// As [`Self::push_str`], with at most 4095 bytes.
    #[inline(always)]
    pub fn push_long_str(self, address: u64) -> u32 {
        // SAFETY: that many bytes are there; the kernel checks the source.
        let n = unsafe { generated::bpf_probe_read_kernel_str(self.end().cast(), WRITE_MAX, address as *const _) };
        self.grow(n)
    }

    /// Copies a NUL-terminated string of the process's memory, at most `MAX - 1` bytes and the NUL, behind the tail and
    /// returns its length with the NUL; [`Self::keep`] makes it part of the tail. Negative: it cannot be read.
    #[inline(always)]
    pub fn peek_user_str<const MAX: u32>(self, address: u64) -> i64 {
        const { assert!(MAX <= WRITE_MAX) };
        // SAFETY: that many bytes are there; the kernel checks the source.
        unsafe { generated::bpf_probe_read_user_str(self.end().cast(), MAX, address as *const _) }
    }

    /// The first eight bytes behind the tail, the first one lowest.
    #[inline(always)]
    pub fn peek_word(self) -> u64 {
        // SAFETY: the map's own element.
        u64::from_le(unsafe { ptr::read_unaligned(self.end().cast::<u64>()) })
    }

    /// Makes `n` bytes behind the tail part of it.
    #[inline(always)]
    pub fn keep(self, n: i64) {
        self.grow(n);
    }

    /// Appends `len` bytes of the process's memory, at most 4095. `false`: they could not be read.
    #[inline(always)]
    pub fn push_user(self, address: u64, len: u32) -> bool {
        let len = bounded::<{ WRITE_MAX - 1 }>(len);
        // SAFETY: `len` bytes are there; the kernel checks the source.
        let failed = unsafe { generated::bpf_probe_read_user(self.end().cast(), len, address as *const _) } != 0;
        if !failed {
            self.grow(i64::from(len));
        }
        !failed
    }

    /// Appends a NUL-terminated string of the process's memory, at most 4095 bytes and the NUL. Says how many bytes were
    /// added; 0: it could not be read.
    #[inline(always)]
    pub fn push_user_str(self, address: u64) -> u32 {
        // SAFETY: `WRITE_MAX` bytes are there; the kernel checks the source.
        let n = unsafe { generated::bpf_probe_read_user_str(self.end().cast(), WRITE_MAX, address as *const _) };
        self.grow(n)
    }

    #[inline(always)]
    fn grow(self, n: i64) -> u32 {
        if n <= 0 {
            return 0;
        }
        let used = self.used() + n as u32;
        self.set_used(if used < TAIL_LIMIT { used } else { TAIL_LIMIT - 1 });
        n as u32
    }
}

/// Writes a word and gives what was there, with nothing in between. Kernels since Linux 5.12 have the instruction, and of
/// those before none takes a program of the full layer that uses it.
///
/// # Safety
/// `place` is a word of a map's element.
#[inline(always)]
unsafe fn swap(place: *mut u64, new: u64) -> u64 {
    let mut value = new;
    // SAFETY: the caller's promise.
    unsafe { core::arch::asm!("{v} = xchg_64({p} + 0, {v})", v = inout(reg) value, p = in(reg) place) };
    value
}

/// The lesser of `x` and `MAX`, in a way that the compiler cannot take out again when it knows better: the verifier does
/// not.
#[inline(always)]
pub fn bounded<const MAX: u32>(x: u32) -> u32 {
    let mut y = u64::from(x);
    // SAFETY: two instructions on one register.
    unsafe {
        core::arch::asm!(
            "if {y} <= {max} goto +1",
            "{y} = {max}",
            y = inout(reg) y,
            max = const MAX,
            options(pure, nomem, nostack)
        );
    }
    y as u32
}

/// A header for what the current thread does.
#[inline(always)]
pub fn header(kind: u16, current: task_struct) -> Header {
    Header {
        compat: u16::from(compat::is_call(current)),
        tid: current.pid(),
        process: task::key(current),
        ..header_of(kind, Key { pid: 0, zero: 0, start: 0 })
    }
}

/// A header for what happens to `process`, whoever runs now.
#[inline(always)]
pub fn header_of(kind: u16, process: Key) -> Header {
    // SAFETY: helpers without arguments.
    let (time, cpu) = unsafe { (bpf_ktime_get_boot_ns(), bpf_get_smp_processor_id() as u32) };
    Header { kind, compat: 0, len: 0, time, cpu, tid: 0, process }
}
