//! A network socket becomes standard input, output or error: the last step of a shell that someone else types into.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{AF_INET, AF_INET6, StdioRecord, kind};

use crate::arguments;
use crate::files::{self, S_IFMT, S_IFSOCK};
use crate::kernel::task_struct;
use crate::record::header;
use crate::ring;
use crate::seal;
use crate::stdio;

/// The highest of the three.
const STDERR: u32 = 2;
/// Commands of fcntl that copy a descriptor.
const F_DUPFD: u32 = 0;
const F_DUPFD_CLOEXEC: u32 = 1030;

/// The exit of dup, dup2 and dup3.
#[tracepoint]
pub fn dup(ctx: TracePointContext) -> u32 {
    tell(&ctx)
}

/// The entry of fcntl, which has many commands and is called often. The kernel looks at 32 bits of the command, and where
/// it copies, at as many of the third argument: the new descriptor is not below it.
#[tracepoint]
pub fn fcntl_enter(ctx: TracePointContext) -> u32 {
    match arguments::arg::<1>(&ctx) as u32 {
        F_DUPFD | F_DUPFD_CLOEXEC if arguments::arg::<2>(&ctx) as u32 <= STDERR => arguments::keep(&ctx, [0; 2]),
        seal::ADD_SEALS => seal::asked(arguments::arg::<0>(&ctx) as u32, arguments::arg::<2>(&ctx) as u32),
        _ => {}
    }
    0
}

/// Its exit.
#[tracepoint]
pub fn fcntl(ctx: TracePointContext) -> u32 {
    if !is_standard(arguments::result(&ctx)) || arguments::take().is_none() {
        return 0;
    }
    tell(&ctx)
}

/// Whether a call's result is one of the three; an error is below them.
#[inline(always)]
fn is_standard(fd: i64) -> bool {
    fd as u64 <= u64::from(STDERR)
}

#[inline(always)]
fn tell(ctx: &TracePointContext) -> u32 {
    let fd = arguments::result(ctx);
    if !is_standard(fd) {
        return 0;
    }
    let current = task_struct::current();
    let file = files::by_fd(current, fd as u32);
    if file.f_inode().mode() & S_IFMT != S_IFSOCK {
        return 0;
    }
    let family = file.private_data().sk().family();
    if family != AF_INET && family != AF_INET6 {
        return 0;
    }
    let mut record = StdioRecord {
        header: header(kind::STDIO, current),
        call: arguments::number(ctx),
        fd: fd as u32,
        ..StdioRecord::default()
    };
    record.header.len = size_of::<StdioRecord>() as u32;
    stdio::one(&current, fd as u32, &mut record.leads_to);
    ring::output_small(&mut record);
    0
}
