//! A thread moves to other namespaces. That may give it other credentials, too.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{NamespaceRecord, NsFacts, kind};

use crate::credentials;
use crate::kernel::task_struct;
use crate::open::SYS_EXIT_RET;
use crate::record::{Record, Slot, header};
use crate::task;

/// The namespaces of threads that are inside setns or unshare.
#[map]
static BEFORE: LruHashMap<u64, NsFacts> = LruHashMap::with_max_entries(1024, 0);

/// The entry of setns and unshare.
#[tracepoint]
pub fn namespace_enter(_: TracePointContext) -> u32 {
    let mut ns = NsFacts::default();
    task::namespaces(&task_struct::current(), &mut ns);
    // A least-recently-used map makes room for itself.
    let _ = BEFORE.insert(bpf_get_current_pid_tgid(), ns, 0);
    credentials::note();
    0
}

/// The exit of setns.
#[tracepoint]
pub fn setns(ctx: TracePointContext) -> u32 {
    changed(&ctx, 0);
    credentials::changed(&ctx);
    0
}

/// The exit of unshare.
#[tracepoint]
pub fn unshare(ctx: TracePointContext) -> u32 {
    changed(&ctx, 1);
    credentials::changed(&ctx);
    0
}

#[inline(always)]
fn changed(ctx: &TracePointContext, unshare: u32) {
    let thread = bpf_get_current_pid_tgid();
    let Some(before) = BEFORE.get_ptr(thread) else { return };
    // SAFETY: the map's own element; no other thread has this key.
    let before = unsafe { *before };
    // The thread can come back under the same key only through the entry, which writes it anew.
    let _ = BEFORE.remove(thread);
    // SAFETY: within the tracepoint's arguments.
    if unsafe { ctx.read_at::<i64>(SYS_EXIT_RET) }.unwrap_or(-1) != 0 {
        return;
    }
    let current = task_struct::current();
    let Some(record) = Record::<NamespaceRecord>::begin(Slot::Hook) else { return };
    record.head.before = before;
    task::namespaces(&current, &mut record.head.now);
    if is_same(&before, &record.head.now) {
        return;
    }
    record.head.header = header(kind::NAMESPACE, current);
    record.head.header.len = size_of::<NamespaceRecord>() as u32;
    record.head.unshare = unshare;
    record.head.zero = 0;
    record.submit();
}

#[inline(always)]
fn is_same(a: &NsFacts, b: &NsFacts) -> bool {
    a.mnt == b.mnt
        && a.net == b.net
        && a.uts == b.uts
        && a.ipc == b.ipc
        && a.cgroup == b.cgroup
        && a.user == b.user
        && a.pid_for_children == b.pid_for_children
}
