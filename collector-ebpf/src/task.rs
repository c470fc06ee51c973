//! Who a process is.

use aya_ebpf::helpers::generated;
use lanner_collector_abi::{Key, NsFacts, PID_LEVELS, PrivilegeFacts, TaskFacts};

use crate::kernel::{Place as _, pid, probe, task_struct, upid, xa_node};
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
    ns.mnt = proxy.mnt().inum();
    ns.uts = proxy.uts().inum();
    ns.ipc = proxy.ipc().inum();
    ns.net = proxy.net().inum();
    ns.cgroup = proxy.cgroup().inum();
    ns.pid_for_children = proxy.pid_for_children().inum();
    ns.user = task.cred().user_ns().inum();
    ns.pid = innermost(*task).ns().inum();
}

/// A thread's number in its own pid namespace.
#[inline(always)]
pub fn innermost(task: task_struct) -> upid {
    let pid = task.thread_pid();
    pid.numbers().nth(u64::from(pid.level() & 31))
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
    let root = task.fs().root().dentry().inode();
    facts.root_dev = u64::from(root.sb().dev());
    facts.root_ino = root.ino();
    namespaces(&task, &mut facts.ns);
    pids(&leader, facts);

    let signal = task.signal();
    facts.session = signal.session().numbers().nr();
    facts.group = signal.group().numbers().nr();
    string16(&mut facts.tty, signal.tty().name().address);
    string16(&mut facts.comm, leader.comm().address);
    let cgroup = path::push_cgroup(tail, &task);
    facts.cgroup_len = (cgroup >> 16) as u16;
    facts.cgroup_cut = (cgroup & 1) as u8;
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

/// What an exec can raise.
#[inline(always)]
pub fn privilege(task: task_struct) -> PrivilegeFacts {
    let cred = task.cred();
    PrivilegeFacts {
        cap_effective: cred.cap_effective(),
        cap_permitted: cred.cap_permitted(),
        euid: cred.euid(),
        egid: cred.egid(),
    }
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
    facts.pid_levels = filled as u8;
}

/// How many bits of a number each level of the kernel's table of pids takes, and how many levels it has at most: pids
/// stay below 2^22.
const PID_TABLE_BITS: u32 = 6;
const PID_TABLE_LEVELS: u32 = 4;

/// The thread that has this pid in the pid namespace of the current one; null when there is none. It is looked up as the
/// kernel does it (`find_vpid`), in the namespace's table, an XArray (`lib/xarray.c`).
#[inline(never)]
pub fn by_pid(number: u32) -> u64 {
    let own = task_struct::current().thread_pid();
    let level = own.level() & 31;
    let mut entry = own.numbers().nth(u64::from(level)).ns().pids();
    for _ in 0..PID_TABLE_LEVELS {
        // The two lowest bits tell a node of the table from what it holds.
        if entry & 3 != 2 {
            break;
        }
        let node = xa_node::at(entry & !3);
        let shift = u32::from(node.shift());
        let slot = u64::from(number).wrapping_shr(shift);
        entry = nth_pointer(node.slots().address, slot & ((1 << PID_TABLE_BITS) - 1));
    }
    if entry & 3 != 0 {
        return 0;
    }
    let found = pid::at(entry);
    // The table has no place for a number that is too high: whoever has its lower bits is somebody else.
    if found.is_null() || found.numbers().nth(u64::from(level)).nr() != number {
        return 0;
    }
    of_pid(found).address
}

/// The thread that a kernel's `pid` stands for; null when it has ended.
#[inline(always)]
pub fn of_pid(pid: pid) -> task_struct {
    let first = pid.first_task().address;
    let link = task_struct::at(0).pid_link().address;
    task_struct::at(if first == 0 { 0 } else { first.wrapping_sub(link) })
}

/// A string of the kernel, cut to 15 bytes; zeros after it, or alone when there is none.
#[inline(always)]
pub fn string16(to: &mut [u8; 16], address: u64) {
    *to = [0; 16];
    // SAFETY: 16 bytes are there; the kernel checks the source.
    unsafe { generated::bpf_probe_read_kernel_str(to.as_mut_ptr().cast(), 16, address as *const _) };
}

/// Reads the pointer `n` of an array of them.
#[inline(always)]
pub fn nth_pointer(array: u64, n: u64) -> u64 {
    probe(array + n * 8)
}
