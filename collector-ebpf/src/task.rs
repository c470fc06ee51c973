//! Who a process is.

use aya_ebpf::helpers::generated;
use lanner_collector_abi::{Key, NsFacts, PID_LEVELS, TaskFacts};

use crate::kernel::{Place as _, probe, task_struct, upid};
use crate::path;
use crate::record::Tail;

/// `sizeof(struct upid)`: an int and a pointer.
const UPID_SIZE: u64 = 16;

/// The process that a thread belongs to.
#[inline(always)]
pub fn key(task: task_struct) -> Key {
    Key { pid: task.tgid(), zero: 0, start: task.group_leader().start_boottime() }
}

/// The namespaces of a thread.
#[inline(never)]
pub fn namespaces(task: &task_struct, ns: &mut NsFacts) {
    let proxy = task.nsproxy();
    let pid = task.thread_pid();
    ns.mnt = proxy.mnt().inum();
    ns.uts = proxy.uts().inum();
    ns.ipc = proxy.ipc().inum();
    ns.net = proxy.net().inum();
    ns.cgroup = proxy.cgroup().inum();
    ns.pid_for_children = proxy.pid_for_children().inum();
    ns.user = task.cred().user_ns().inum();
    ns.pid = pid.numbers().nth(u64::from(pid.level() & 31)).ns().inum();
}

impl upid {
    /// The element `n` of the array that begins here.
    #[inline(always)]
    pub fn nth(self, n: u64) -> upid {
        upid::at(self.address + n * UPID_SIZE)
    }
}

/// Fills in what is known of a process and appends its control group to the tail.
#[inline(always)]
pub fn describe(task: task_struct, facts: &mut TaskFacts, tail: Tail) {
    let leader = task.group_leader();
    let parent = task.real_parent();
    facts.parent = key(parent);
    if facts.parent.pid == 0 {
        facts.parent.start = 0;
    }
    credentials(task, facts);
    namespaces(&task, &mut facts.ns);
    pids(&leader, facts);

    let signal = task.signal();
    facts.session = signal.session().numbers().nr();
    string16(&mut facts.tty, signal.tty().name().address);
    string16(&mut facts.comm, leader.comm().address);
    let cgroup = path::push_cgroup(tail, &task);
    facts.cgroup_len = (cgroup >> 16) as u16;
    facts.cgroup_cut = (cgroup & 1) as u8;
    facts.zero = 0;
}

#[inline(always)]
fn credentials(task: task_struct, facts: &mut TaskFacts) {
    let cred = task.cred();
    facts.uid = cred.uid();
    facts.euid = cred.euid();
    facts.gid = cred.gid();
    facts.egid = cred.egid();
    facts.cap_effective = cred.cap_effective();
    facts.cap_permitted = cred.cap_permitted();
    facts.login_uid = if task.has_loginuid() { task.loginuid() } else { u32::MAX };
}

#[inline(never)]
fn pids(leader: &task_struct, facts: &mut TaskFacts) {
    let pid = leader.thread_pid();
    let level = pid.level() & 31;
    let mut filled = 0;
    for i in 0..PID_LEVELS as u32 {
        if i <= level {
            let number = pid.numbers().nth(u64::from(level - i));
            facts.pids[i as usize] = number.nr();
            facts.pid_ns[i as usize] = number.ns().inum();
            filled = i + 1;
        } else {
            facts.pids[i as usize] = 0;
            facts.pid_ns[i as usize] = 0;
        }
    }
    facts.pid_levels = filled;
}

/// A string of the kernel, cut to 15 bytes; zeros after it, or alone when there is none.
#[inline(always)]
fn string16(to: &mut [u8; 16], address: u64) {
    *to = [0; 16];
    // SAFETY: 16 bytes are there; the kernel checks the source.
    unsafe { generated::bpf_probe_read_kernel_str(to.as_mut_ptr().cast(), 16, address as *const _) };
}

/// Reads the pointer `n` of an array of them.
#[inline(always)]
pub fn nth_pointer(array: u64, n: u64) -> u64 {
    probe(array + n * 8)
}
