//! Holds what is attached, so that letting go takes no time.
//!
//! To close a system call's tracepoint or a function's program the kernel waits until no processor can still be in it, and
//! it closes one after the other, be it that a program closes them or ends: 70 ms each, seconds for as many as the sensor has. What a BPF file
//! system held, kernels since Linux 6.5 close in their own time, when that goes (`bpf_link_put`, kernel/bpf/syscall.c).
//! This one is mounted nowhere, is reached by its descriptor alone, and goes with it, however the sensor ends.

use std::os::fd::{AsRawFd as _, OwnedFd};

use aya::programs::links::FdLink;
use aya::programs::{ProgramError, TracePoint};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};

/// What is not held here, its program holds: where no such file system may be made, and where a tracepoint's program is no
/// link (before Linux 5.15).
#[derive(Debug)]
pub(super) struct Hold {
    files: Option<OwnedFd>,
    names: u32,
    refused: bool,
}

impl Hold {
    pub(super) fn new() -> Self {
        Hold { files: mount().ok(), names: 0, refused: false }
    }

    /// Attaches a program, and holds that.
    pub(super) fn attach<P, I, L>(
        &mut self,
        program: &mut P,
        attach: impl Fn(&mut P) -> Result<I, ProgramError>,
        take: impl Fn(&mut P, I) -> Result<L, ProgramError>,
    ) -> Result<(), ProgramError>
    where
        FdLink: TryFrom<L>,
    {
        let id = attach(program)?;
        let Some(files) = self.files.as_ref().filter(|_| !self.refused) else { return Ok(()) };
        let path = format!("/proc/self/fd/{}/{}", files.as_raw_fd(), self.names);
        self.names += 1;
        let link = FdLink::try_from(take(program, id)?);
        self.refused = link.map_or(true, |link| link.pin(path).is_err());
        if self.refused {
            // That detached it.
            attach(program)?;
        }
        Ok(())
    }

    /// As [`Self::attach`], to a system call's tracepoint.
    pub(super) fn attach_call(&mut self, program: &mut TracePoint, name: &str) -> Result<(), ProgramError> {
        self.attach(program, |p| p.attach("syscalls", name), TracePoint::take_link)
    }
}

fn mount() -> rustix::io::Result<OwnedFd> {
    let context = fsopen("bpf", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}
