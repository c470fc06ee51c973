//! System calls by their 32-bit numbers on x86 (arch/x86/entry/syscalls/syscall_32.tbl): those that hooks stand on, by the
//! names of the tracepoints that the same calls have by their own numbers.

use super::HOOKS;
use crate::sensor::hooks::Attach;

/// Old calls, with narrow users or lengths, stand beside those that took their place.
const CALLS: &[(u32, &str)] = &[
    (5, "open"),
    (8, "creat"),
    (9, "link"),
    (10, "unlink"),
    (11, "execve"),
    (14, "mknod"),
    (15, "chmod"),
    (16, "lchown"),
    (21, "mount"),
    (22, "umount"),
    (23, "setuid"),
    (26, "ptrace"),
    (38, "rename"),
    (39, "mkdir"),
    (40, "rmdir"),
    (41, "dup"),
    (46, "setgid"),
    (52, "umount"),
    (55, "fcntl"),
    (61, "chroot"),
    (63, "dup2"),
    (70, "setreuid"),
    (71, "setregid"),
    (81, "setgroups"),
    (83, "symlink"),
    (92, "truncate"),
    (93, "ftruncate"),
    (94, "fchmod"),
    (95, "fchown"),
    (128, "init_module"),
    (129, "delete_module"),
    (138, "setfsuid"),
    (139, "setfsgid"),
    (164, "setresuid"),
    (170, "setresgid"),
    (182, "chown"),
    (185, "capset"),
    (193, "truncate"),
    (194, "ftruncate"),
    (198, "lchown"),
    (203, "setreuid"),
    (204, "setregid"),
    (206, "setgroups"),
    (207, "fchown"),
    (208, "setresuid"),
    (210, "setresgid"),
    (212, "chown"),
    (213, "setuid"),
    (214, "setgid"),
    (215, "setfsuid"),
    (216, "setfsgid"),
    (217, "pivot_root"),
    (221, "fcntl"),
    (226, "setxattr"),
    (227, "lsetxattr"),
    (228, "fsetxattr"),
    (235, "removexattr"),
    (236, "lremovexattr"),
    (237, "fremovexattr"),
    (283, "kexec_load"),
    (295, "openat"),
    (296, "mkdirat"),
    (297, "mknodat"),
    (298, "fchownat"),
    (301, "unlinkat"),
    (302, "renameat"),
    (303, "linkat"),
    (304, "symlinkat"),
    (306, "fchmodat"),
    (310, "unshare"),
    (330, "dup3"),
    (342, "open_by_handle_at"),
    (346, "setns"),
    (347, "process_vm_readv"),
    (348, "process_vm_writev"),
    (350, "finit_module"),
    (353, "renameat2"),
    (356, "memfd_create"),
    (357, "bpf"),
    (358, "execveat"),
    (359, "socket"),
    (361, "bind"),
    (362, "connect"),
    (363, "listen"),
    (364, "accept4"),
    (428, "open_tree"),
    (429, "move_mount"),
    (430, "fsopen"),
    (431, "fsconfig"),
    (432, "fsmount"),
    (437, "openat2"),
    (438, "pidfd_getfd"),
    (442, "mount_setattr"),
    (452, "fchmodat2"),
    (463, "setxattrat"),
    (466, "removexattrat"),
];

/// The tracepoint's name of the call with this 32-bit number.
pub(super) fn name(number: u32) -> Option<&'static str> {
    CALLS.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// Which program stands on a call, at one of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sensor) struct Stand {
    /// The call's 32-bit number.
    pub(in crate::sensor) number: u32,
    /// Whether the program wants its exit; else its entry.
    pub(in crate::sensor) exit: bool,
    /// Its name in the object.
    pub(in crate::sensor) program: &'static str,
    /// Where it stands: what has no tracepoint, this kernel has no call for.
    pub(in crate::sensor) tracepoint: &'static str,
}

/// All of them.
pub(in crate::sensor) fn stands() -> impl Iterator<Item = Stand> {
    CALLS.iter().flat_map(|(number, call)| {
        let ends = [("sys_enter_", false), ("sys_exit_", true)];
        ends.into_iter().flat_map(move |(prefix, exit)| {
            let of_call = move |(_, tracepoint): &(_, &'static str)| tracepoint.strip_prefix(prefix) == Some(*call);
            tracepoints().filter(of_call).map(move |(program, tracepoint)| Stand {
                number: *number,
                exit,
                program,
                tracepoint,
            })
        })
    })
}

/// The programs that stand on system calls, and which.
fn tracepoints() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_spec = |spec: &'static crate::sensor::hooks::Spec| -> Vec<(&'static str, &'static str)> {
        match spec.attach {
            Attach::Syscalls(names) | Attach::SyscallsIfAny(names) => {
                names.iter().map(|name| (spec.program, *name)).collect()
            }
            Attach::Calls(programs) => {
                programs.iter().flat_map(|(program, names)| names.iter().map(|name| (*program, *name))).collect()
            }
            _ => Vec::new(),
        }
    };
    HOOKS.iter().copied().flatten().flat_map(of_spec)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lanner_collector_abi::COMPAT_CALLS;

    use super::*;

    /// Calls that have no number of their own there: accept has none but within socketcall, which the programs take for
    /// accept4; x86 has no 32-bit kexec_file_load.
    const NONE: &[&str] = &["accept", "kexec_file_load"];

    #[test]
    fn every_hooked_call_has_its_32_bit_number() {
        let hooked: BTreeSet<&str> = tracepoints()
            .map(|(_, name)| name.trim_start_matches("sys_enter_").trim_start_matches("sys_exit_"))
            .filter(|name| !NONE.contains(name))
            .collect();
        let numbered: BTreeSet<&str> = CALLS.iter().map(|(_, name)| *name).collect();
        assert_eq!(hooked, numbered);
        assert!(CALLS.is_sorted_by(|a, b| a.0 < b.0) && CALLS.iter().all(|(number, _)| *number < COMPAT_CALLS));
    }

    #[test]
    fn no_more_than_one_program_stands_on_an_end_of_a_call() {
        let mut known = BTreeSet::new();
        for stand in stands() {
            assert!(known.insert((stand.number, stand.exit)), "only one of them can be called: {stand:?}");
        }
    }
}
