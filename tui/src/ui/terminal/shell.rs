//! Whether there is a shell that would continue this program once it has stopped.

use rustix::process::{Pid, getpgid, getpgrp, getppid, getsid};

/// How far up it is looked.
const MOST: usize = 64;

/// Whether somebody in this session, outside of this job, runs it: such a shell may stop and continue it. Without one the
/// job is orphaned (POSIX, 3.264); whoever stopped it then would stop it for good.
pub(crate) fn is_there() -> bool {
    let (Ok(session), job) = (getsid(None), getpgrp()) else { return false };
    let mut above = getppid();
    for _ in 0..MOST {
        let Some(pid) = above else { return false };
        match (getsid(Some(pid)), getpgid(Some(pid))) {
            (Ok(of), _) if of != session => return false,
            (Ok(_), Ok(of)) if of != job => return true,
            (Ok(_), Ok(_)) => above = parent(pid),
            _ => return false,
        }
    }
    false
}

/// Who runs a process of this job, such as sudo or cargo.
fn parent(pid: Pid) -> Option<Pid> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The name before may hold anything; behind it come the state and the parent (proc_pid_stat(5)).
    let (_, behind) = stat.rsplit_once(')')?;
    Pid::from_raw(behind.split_whitespace().nth(1)?.parse().ok()?)
}
