//! The file system that numbers tracepoints.
#![allow(unsafe_code)]

use std::fs;

/// Where it is mounted by custom.
const PLACES: [&str; 2] = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/// Where it is mounted and readable.
pub(super) fn find() -> Option<&'static str> {
    PLACES.into_iter().find(|path| fs::metadata(format!("{path}/events")).is_ok())
}

/// Whether this kernel has a system call's tracepoint; where that cannot be seen, it is taken to have it.
pub(super) fn has_syscall(name: &str) -> bool {
    find().is_none_or(|path| fs::metadata(format!("{path}/events/syscalls/{name}")).is_ok())
}

/// Mounts it where every tool expects it, as most systems do at boot, unless it is there. When that is not allowed, the
/// hooks that need it say so.
pub(super) fn ensure() {
    if find().is_some() {
        return;
    }
    // SAFETY: all pointers are to NUL-terminated constants, the data may be null.
    unsafe {
        libc::mount(c"tracefs".as_ptr(), c"/sys/kernel/tracing".as_ptr(), c"tracefs".as_ptr(), 0, std::ptr::null());
    }
}
