//! System calls by their numbers on this machine: the kernel tells a call's number, events its name.

use lanner_collector_abi::{Header, OPENED_MEMORY};
use lanner_core::event::{Call, Family};

use super::narrow;

macro_rules! numbers {
    ($($number:ident = $name:literal),* $(,)?) => { &[$((libc::$number, $name),)*] };
}

/// Calls that every architecture has.
const EVERYWHERE: &[(libc::c_long, &str)] = numbers![
    SYS_setuid = "setuid",
    SYS_setgid = "setgid",
    SYS_setreuid = "setreuid",
    SYS_setregid = "setregid",
    SYS_setresuid = "setresuid",
    SYS_setresgid = "setresgid",
    SYS_setgroups = "setgroups",
    SYS_setfsuid = "setfsuid",
    SYS_setfsgid = "setfsgid",
    SYS_capset = "capset",
    SYS_setns = "setns",
    SYS_unshare = "unshare",
    SYS_chroot = "chroot",
    SYS_pivot_root = "pivot_root",
    SYS_mount = "mount",
    SYS_umount2 = "umount2",
    SYS_fsopen = "fsopen",
    SYS_fsconfig = "fsconfig",
    SYS_fsmount = "fsmount",
    SYS_open_tree = "open_tree",
    SYS_move_mount = "move_mount",
    SYS_mount_setattr = "mount_setattr",
    SYS_ptrace = "ptrace",
    SYS_process_vm_readv = "process_vm_readv",
    SYS_process_vm_writev = "process_vm_writev",
    SYS_pidfd_getfd = "pidfd_getfd",
    SYS_init_module = "init_module",
    SYS_finit_module = "finit_module",
    SYS_delete_module = "delete_module",
    SYS_kexec_load = "kexec_load",
    SYS_kexec_file_load = "kexec_file_load",
    SYS_dup = "dup",
    SYS_dup3 = "dup3",
    SYS_fcntl = "fcntl",
];

/// Calls that only older architectures have.
#[cfg(target_arch = "x86_64")]
const HERE: &[(libc::c_long, &str)] = numbers![SYS_dup2 = "dup2"];
#[cfg(not(target_arch = "x86_64"))]
const HERE: &[(libc::c_long, &str)] = &[];

/// The call of a family's record.
pub(super) fn call(family: Family, header: &Header, number: u32) -> Option<Call> {
    if number == OPENED_MEMORY {
        return Call::of(family, "proc_mem");
    }
    match if header.compat != 0 { narrow::name(number) } else { native(number) }? {
        // Those make an event of their own: this one is not to be taken for it.
        "setns" | "unshare" => Call::of(family, "user_namespace"),
        // The tracepoint's name, and that of the old call without flags.
        "umount" => Call::of(family, "umount2"),
        name => Call::of(family, name),
    }
}

fn native(number: u32) -> Option<&'static str> {
    let mut known = EVERYWHERE.iter().chain(HERE);
    known.find(|(known, _)| *known == libc::c_long::from(number)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_belongs_to_a_family() {
        for (number, name) in EVERYWHERE.iter().chain(HERE) {
            let number = u32::try_from(*number).expect("a number");
            let families = Family::ALL.iter().filter_map(|family| call(*family, &Header::default(), number));
            let names: Vec<_> = families.map(Call::name).collect();
            let expected = if matches!(*name, "setns" | "unshare") { "user_namespace" } else { name };
            assert!(!names.is_empty() && names.iter().all(|name| *name == expected), "{name}: {names:?}");
        }
        let mount = u32::try_from(libc::SYS_mount).expect("a number");
        assert_eq!(call(Family::Root, &Header::default(), mount), None);
    }

    #[test]
    fn a_32_bit_call_is_called_as_its_like() {
        let narrow = Header { compat: 1, ..Header::default() };
        let name = |family, number| call(family, &narrow, number).map(Call::name);
        assert_eq!(name(Family::Mount, 22), Some("umount2"));
        assert_eq!(name(Family::Credentials, 23), Some("setuid"));
        assert_eq!(name(Family::Credentials, 213), Some("setuid"));
        assert_eq!(name(Family::Credentials, 346), Some("user_namespace"));
        assert_eq!(name(Family::Trace, 26), Some("ptrace"));
        assert_eq!(name(Family::Trace, 101), None, "ptrace, but not here");
    }
}
