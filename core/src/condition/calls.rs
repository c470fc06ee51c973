//! System calls that do the same under several names. An event says what was done, and not by which of these names it
//! was asked for: a condition that names one of them means them all.

use crate::event::Family;

/// Names of one doing.
const SAME: &[&[&str]] = &[
    &["open", "openat", "openat2", "creat", "open_by_handle_at"],
    &["execve", "execveat"],
    &["clone", "clone3", "fork", "vfork"],
    &["accept", "accept4"],
    &["dup", "dup2", "dup3"],
    &["rename", "renameat", "renameat2"],
    &["link", "linkat"],
    &["symlink", "symlinkat"],
    &["unlink", "unlinkat"],
    &["mkdir", "mkdirat"],
    &["mknod", "mknodat"],
    &["chmod", "fchmod", "fchmodat", "fchmodat2"],
    &["chown", "fchown", "fchownat", "lchown"],
    &["setxattr", "lsetxattr", "fsetxattr", "setxattrat"],
    &["removexattr", "lremovexattr", "fremovexattr", "removexattrat"],
    &["truncate", "ftruncate"],
    &["umount", "umount2"],
    &["init_module", "finit_module"],
    &["kexec_load", "kexec_file_load"],
    &["sendto", "sendmsg", "sendmmsg"],
    &["recvfrom", "recvmsg", "recvmmsg"],
    &["kill", "tkill", "tgkill"],
    // An event is told once the call is done, and stands for its beginning too.
    &["<", ">"],
];

/// Other names of the same doing, this one among them.
pub(super) fn same(name: &str) -> &'static [&'static str] {
    SAME.iter().find(|names| names.contains(&name)).copied().unwrap_or_default()
}

/// Whether events of any family are of this call.
pub(super) fn is_seen(name: &str) -> bool {
    let types = |family: Family| family.event_types().iter().any(|t| *t == name || same(t).contains(&name));
    Family::ALL.iter().copied().any(types)
}
