//! What the kernel did not run: a program that would interrupt itself is skipped, and so is one on a tracepoint while another
//! runs on the same processor. The kernel counts that, program by program (since Linux 6.2, of system calls since 6.7; those
//! before let programs interrupt themselves).
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;
use std::{fmt, io};

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use lanner_core::event::BootTime;

use super::with_causes;

/// How often the kernel is asked: it takes a system call for each program.
const EVERY: Duration = Duration::from_secs(1);
/// Of the changes that this program is not run for, the second one tells and counts.
const FIRST: &str = "tcp_state";
/// What it is not run for, the first one has told of.
const SECOND: &str = "tcp_state_missed";

const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// `struct bpf_prog_info` (include/uapi/linux/bpf.h) up to `recursion_misses`, its last word here. An older kernel fills in
/// less; zeros before it ask for nothing that needs room.
type Info = [u64; 27];

/// `union bpf_attr`, as `BPF_OBJ_GET_INFO_BY_FD` takes it.
#[repr(C)]
struct GetInfo {
    program: u32,
    info_len: u32,
    info: u64,
}

/// What was skipped.
pub(super) struct Skipped {
    taken_over: PerCpuArray<MapData, u64>,
    /// By program, what was told.
    told: HashMap<String, u64>,
    asked: BootTime,
}

impl fmt::Debug for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skipped").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Skipped {
    pub(super) fn new(ebpf: &mut Ebpf) -> Result<Self, String> {
        let taken_over = ebpf.take_map("TAKEN_OVER").ok_or("the object has no map TAKEN_OVER")?;
        let taken_over = PerCpuArray::try_from(taken_over).map_err(|e| with_causes(&e))?;
        Ok(Skipped { taken_over, told: HashMap::new(), asked: BootTime(0) })
    }

    /// How many runs were skipped since the last time, when it is time to ask; each may have told of an event.
    pub(super) fn look(&mut self, ebpf: &Ebpf, now: BootTime) -> u64 {
        if now.since(self.asked) < EVERY { 0 } else { self.look_now(ebpf, now) }
    }

    /// As [`Self::look`], at once.
    pub(super) fn look_now(&mut self, ebpf: &Ebpf, now: BootTime) -> u64 {
        self.asked = now;
        let mut skipped = 0;
        for (name, program) in ebpf.programs().filter(|(name, _)| *name != SECOND) {
            // What was refused never runs.
            let Ok(fd) = program.fd() else { continue };
            // What cannot be read now is told when it can.
            let Ok(mut count) = misses(fd.as_fd()) else { continue };
            if name == FIRST {
                // Asked after: a change that was skipped is counted there a moment later, and never without.
                let Ok(taken_over) = self.taken_over.get(&0, 0) else { continue };
                count = count.saturating_sub(taken_over.iter().sum());
            }
            if let Some(told) = self.told.get_mut(name) {
                skipped += count.saturating_sub(*told);
                *told = count.max(*told);
            } else {
                skipped += count;
                self.told.insert(name.to_owned(), count);
            }
        }
        skipped
    }
}

/// How often a program was not run.
fn misses(program: BorrowedFd<'_>) -> io::Result<u64> {
    let mut info: Info = [0; 27];
    let attr = GetInfo {
        program: u32::try_from(program.as_raw_fd()).map_err(io::Error::other)?,
        info_len: size_of::<Info>() as u32,
        info: std::ptr::from_mut(&mut info) as u64,
    };
    // SAFETY: the pointers are to live values of the sizes given, laid out as this command takes them.
    let failed = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, std::ptr::from_ref(&attr), size_of::<GetInfo>())
    };
    if failed < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info[info.len() - 1])
}
