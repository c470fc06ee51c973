//! A process gets another root directory, or asks for one in vain.

use aya_ebpf::helpers::generated;
use aya_ebpf::macros::tracepoint;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{RootRecord, kind};

use crate::arguments;
use crate::call::Passed;
use crate::files;
use crate::kernel::{Place as _, path, task_struct};
use crate::record::{Record, Slot, header};
use crate::walk::CWD;

/// The entry of chroot and pivot_root.
#[tracepoint]
pub fn root_enter(ctx: TracePointContext) -> u32 {
    let mut root = [0u64; 2];
    let at = task_struct::current().fs().root().address;
    // SAFETY: `struct path` is two pointers; the kernel checks the source.
    unsafe { generated::bpf_probe_read_kernel(root.as_mut_ptr().cast(), 16, at as *const _) };
    arguments::keep(&ctx, root);
    0
}

/// Their exit. The old root is shown where it lies now: pivot_root moves it. What failed is told with what was asked for,
/// which is looked up by its name.
#[tracepoint]
pub fn root(ctx: TracePointContext) -> u32 {
    let Some(call) = arguments::take() else { return 0 };
    let current = task_struct::current();
    let before = path::at(&raw const call.note as u64);
    let Some(record) = Record::<RootRecord>::begin(Slot::Hook) else { return 0 };
    record.head.header = header(kind::ROOT, current);
    record.head.call = arguments::number(&ctx);
    record.head.namespace = current.nsproxy().mnt().inum();
    record.head.errno = arguments::errno(arguments::result(&ctx));
    record.head.zero = 0;
    if record.head.errno == 0 {
        let now = current.fs().root();
        files::identify(now.dentry().inode(), &mut record.head.now);
        files::locate(now.dentry().inode(), now, &mut record.head.now, record.tail);
    } else {
        let asked = Passed { name: call.args[0], dirfd: CWD, follow: 1 };
        asked.walk().describe(&mut record.head.now, record.tail);
    }
    files::identify(before.dentry().inode(), &mut record.head.before);
    files::locate(before.dentry().inode(), before, &mut record.head.before, record.tail);
    record.head.header.len = size_of::<RootRecord>() as u32 + record.tail.used();
    record.submit();
    0
}
