//! A thread's credentials change by one of the calls that exist for it.

use aya_ebpf::helpers::{bpf_get_current_pid_tgid, generated};
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::LruHashMap;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{CredFacts, CredentialsRecord, GROUPS, kind};

use crate::arguments;
use crate::kernel::task_struct;
use crate::record::{Record, Slot, header};

/// The credentials of threads that are inside such a call.
#[map]
static CREDENTIALS: LruHashMap<u64, CredFacts> = LruHashMap::with_max_entries(1024, 0);

/// The entry of setuid and its like, and capset.
#[tracepoint]
pub fn credentials_enter(_: TracePointContext) -> u32 {
    note();
    0
}

/// Their exit.
#[tracepoint]
pub fn credentials_exit(ctx: TracePointContext) -> u32 {
    changed(&ctx);
    0
}

/// At the entry of a call that may change them.
#[inline(always)]
pub fn note() {
    let mut before = CredFacts::default();
    read(&task_struct::current(), &mut before);
    // A least-recently-used map makes room for itself.
    let _ = CREDENTIALS.insert(bpf_get_current_pid_tgid(), before, 0);
}

/// At its exit. Most of these calls change nothing: a program makes sure of what it is already.
#[inline(always)]
pub fn changed(ctx: &TracePointContext) {
    let thread = bpf_get_current_pid_tgid();
    let Some(before) = CREDENTIALS.get_ptr(thread) else { return };
    let Some(record) = Record::<CredentialsRecord>::begin(Slot::Hook) else { return };
    // SAFETY: the map's own element; no other thread has this key.
    record.head.before = unsafe { *before };
    let _ = CREDENTIALS.remove(thread);
    let current = task_struct::current();
    read(&current, &mut record.head.now);
    if record.head.before == record.head.now {
        return;
    }
    record.head.header = header(kind::CREDENTIALS, current);
    record.head.header.len = size_of::<CredentialsRecord>() as u32;
    record.head.call = arguments::number(ctx);
    record.head.zero = 0;
    record.submit();
}

#[inline(never)]
fn read(task: &task_struct, facts: &mut CredFacts) {
    let cred = task.cred();
    facts.uid = cred.uid();
    facts.euid = cred.euid();
    facts.suid = cred.suid();
    facts.fsuid = cred.fsuid();
    facts.gid = cred.gid();
    facts.egid = cred.egid();
    facts.sgid = cred.sgid();
    facts.fsgid = cred.fsgid();
    facts.cap_effective = cred.cap_effective();
    facts.cap_permitted = cred.cap_permitted();
    facts.cap_inheritable = cred.cap_inheritable();
    facts.cap_bounding = cred.cap_bounding();
    facts.cap_ambient = cred.cap_ambient();
    facts.user_ns = cred.user_ns().inum();
    let groups = cred.groups();
    facts.group_count = groups.count();
    // SAFETY: as many bytes as the array has; the kernel checks the source.
    unsafe {
        generated::bpf_probe_read_kernel(
            facts.groups.as_mut_ptr().cast(),
            size_of_val(&facts.groups) as u32,
            groups.list().address as *const _,
        );
    }
    // What lies behind a shorter list is not part of it.
    for i in 0..GROUPS {
        if i as u32 >= facts.group_count {
            facts.groups[i] = 0;
        }
    }
}
