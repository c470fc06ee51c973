//! A network socket becomes standard input, output or error: the last step of a shell that someone else types into.

use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{AF_INET, AF_INET6, StdioRecord, kind};

use crate::arguments;
use crate::files::{self, S_IFMT, S_IFSOCK};
use crate::kernel::task_struct;
use crate::record::header;
use crate::ring;
use crate::stdio;

/// The highest of the three.
const STDERR: u64 = 2;
/// Commands of fcntl that copy a descriptor.
const F_DUPFD: u64 = 0;
const F_DUPFD_CLOEXEC: u64 = 1030;

/// The exit of dup, dup2 and dup3.
#[tracepoint]
pub fn dup(ctx: TracePointContext) -> u32 {
    tell(&ctx)
}

/// The entry of fcntl, which has many commands and is called often. Where it copies, the new descriptor is not below the
/// third argument.
#[tracepoint]
pub fn fcntl_enter(ctx: TracePointContext) -> u32 {
    if matches!(arguments::arg::<1>(&ctx), F_DUPFD | F_DUPFD_CLOEXEC) && arguments::arg::<2>(&ctx) <= STDERR {
        arguments::keep(&ctx, [0; 2]);
    }
    0
}

/// Its exit.
#[tracepoint]
pub fn fcntl(ctx: TracePointContext) -> u32 {
    if arguments::result(&ctx) as u64 > STDERR || arguments::take().is_none() {
        return 0;
    }
    tell(&ctx)
}

#[inline(always)]
fn tell(ctx: &TracePointContext) -> u32 {
    let fd = arguments::result(ctx) as u64;
    if fd > STDERR {
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
