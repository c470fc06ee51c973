//! Code that is given to the kernel to run: modules, and other kernels. Attempts that fail are told too.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{FileFacts, KernelRecord, kind};

use crate::arguments;
use crate::exact::{self, Exact};
use crate::files;
use crate::kernel::{Place as _, file, task_struct};
use crate::path::Spot;
use crate::record::{Record, Slot, Tail, header};

/// No descriptor.
const NONE: u32 = u32::MAX;

/// What a call's arguments mean.
struct Meaning {
    fd: u32,
    second: u32,
    size: u64,
    words: u64,
    flags: u64,
}

/// The exit of init_module(image, size, parameters).
#[tracepoint]
pub fn init_module(ctx: TracePointContext) -> u32 {
    tell(&ctx, |args| Meaning { fd: NONE, second: NONE, size: args[1], words: args[2], flags: 0 })
}

/// The exit of finit_module(fd, parameters, flags).
#[tracepoint]
pub fn finit_module(ctx: TracePointContext) -> u32 {
    tell(&ctx, |args| Meaning { fd: args[0] as u32, second: NONE, size: 0, words: args[1], flags: args[2] })
}

/// The exit of delete_module(name, flags).
#[tracepoint]
pub fn delete_module(ctx: TracePointContext) -> u32 {
    tell(&ctx, |args| Meaning { fd: NONE, second: NONE, size: 0, words: args[0], flags: args[1] })
}

/// The exit of kexec_load(entry, segments, list, flags).
#[tracepoint]
pub fn kexec_load(ctx: TracePointContext) -> u32 {
    tell(&ctx, |args| Meaning { fd: NONE, second: NONE, size: 0, words: 0, flags: args[3] })
}

/// The exit of kexec_file_load(kernel, initial ram disk, length of the command line, command line, flags). What is
/// unloaded needs no file: then -1 stands there.
#[tracepoint]
pub fn kexec_file_load(ctx: TracePointContext) -> u32 {
    /// `KEXEC_FILE_NO_INITRAMFS`.
    const NO_INITRAMFS: u64 = 4;
    tell(&ctx, |args| Meaning {
        fd: args[0] as u32,
        second: if args[4] & NO_INITRAMFS != 0 { NONE } else { args[1] as u32 },
        size: 0,
        words: args[3],
        flags: args[4],
    })
}

#[inline(always)]
fn tell(ctx: &TracePointContext, meaning: impl Fn(&[u64; 6]) -> Meaning) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    send(arguments::number(ctx), arguments::errno(arguments::result(ctx)), &meaning(&call.args))
}

#[inline(never)]
fn send(number: u32, errno: u32, meaning: &Meaning) -> u32 {
    let current = task_struct::current();
    let Some(record) = Record::<KernelRecord>::begin(Slot::Hook) else { return 0 };
    let head = &mut *record.head;
    head.header = header(kind::KERNEL, current);
    head.call = number;
    head.errno = errno;
    head.flags = meaning.flags;
    head.size = meaning.size;
    head.zero = 0;
    let both = exact::of_call();
    describe(&mut head.file, record.tail, meaning.fd, both.map(|both| &both.first));
    describe(&mut head.second, record.tail, meaning.second, both.map(|both| &both.second));
    let before = record.tail.used();
    if meaning.words != 0 {
        record.tail.push_user_str(meaning.words);
    }
    head.words_len = record.tail.used().wrapping_sub(before);
    head.header.len = size_of::<KernelRecord>() as u32 + record.tail.used();
    record.submit();
    0
}

/// The file that the kernel read; where that is not known, the one that the descriptor leads to by now.
#[inline(always)]
fn describe(facts: &mut FileFacts, tail: Tail, fd: u32, known: Option<&Exact>) {
    let spot = match known.and_then(Exact::spot) {
        Some(spot) if fd != NONE => spot,
        _ => Spot::of(files_of(fd).f_path()),
    };
    files::identify(spot.dentry.inode(), facts);
    files::locate_at(spot.dentry.inode(), spot, facts, tail);
}

#[inline(always)]
fn files_of(fd: u32) -> file {
    if fd == NONE { file::at(0) } else { files::by_fd(task_struct::current(), fd) }
}
