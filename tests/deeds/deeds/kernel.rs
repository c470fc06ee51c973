//! Modules of the kernel, and processes that trace others.

use std::io;

use crate::deed::{Deed, Within};
use crate::sys;

/// Gives the kernel a module that is none: it refuses it.
fn load_nonsense() -> io::Result<()> {
    let (module, parameters) = ([0_u8; 64], [0_u8; 1]);
    let all = [module.as_ptr() as usize, module.len(), parameters.as_ptr() as usize];
    match sys::call(libc::SYS_init_module, &all) {
        Ok(_) => Err(io::Error::other("the kernel took zeros for a module")),
        Err(_) => Ok(()),
    }
}

pub(crate) static MODULE: Deed = Deed {
    name: "loads a module",
    falco: "Linux Kernel Module Injection Detected",
    within: Within::Container,
    it: load_nonsense,
    nearly: load_nonsense,
    cannot: || {
        let none = sys::call(libc::SYS_init_module, &[0, 0, 0]).is_err_and(|e| e.raw_os_error() == Some(libc::ENOSYS));
        none.then(|| "this kernel takes no modules".to_owned())
    },
    ..Deed::PLAIN
};

fn attach() -> io::Result<()> {
    let victim = sys::waiting()?;
    sys::call(libc::SYS_ptrace, &[libc::PTRACE_ATTACH as usize, victim.pid as usize, 0, 0])?;
    sys::stopped(victim.pid)?;
    sys::call(libc::SYS_ptrace, &[libc::PTRACE_DETACH as usize, victim.pid as usize, 0, 0])?;
    victim.end()
}

fn be_traced() -> io::Result<()> {
    sys::apart(|| sys::call(libc::SYS_ptrace, &[libc::PTRACE_TRACEME as usize, 0, 0, 0]).map(drop))
}

pub(crate) static TRACES: Deed = Deed {
    name: "attaches to a process",
    falco: "PTRACE attached to process",
    it: attach,
    nearly: be_traced,
    ..Deed::PLAIN
};

pub(crate) static TRACED: Deed = Deed {
    name: "keeps others from tracing it",
    falco: "PTRACE anti-debug attempt",
    it: be_traced,
    nearly: attach,
    ..Deed::PLAIN
};
