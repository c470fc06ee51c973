//! The reading end of the ring buffer, and the counters of what did not get into it.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;
use std::{fmt, io};

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray, RingBuf};
use lanner_collector_abi::Drop;
use lanner_core::event::{Loss, LossCause};

use super::with_causes;

/// The programs' counters and the causes they count.
const CAUSES: [(Drop, LossCause); Drop::COUNT as usize] =
    [(Drop::RingFull, LossCause::RingFull), (Drop::MapFull, LossCause::MapFull)];

pub(super) struct Ring {
    records: RingBuf<MapData>,
    drops: PerCpuArray<MapData, u64>,
    /// What the counters were when last asked.
    counted: [u64; CAUSES.len()],
    epoll: OwnedFd,
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").field("counted", &self.counted).finish_non_exhaustive()
    }
}

impl Ring {
    pub(super) fn new(ebpf: &mut Ebpf) -> Result<Self, String> {
        let mut take = |name: &str| ebpf.take_map(name).ok_or_else(|| format!("the object has no map {name}"));
        let records = RingBuf::try_from(take("EVENTS")?).map_err(|e| with_causes(&e))?;
        let drops = PerCpuArray::try_from(take("DROPS")?).map_err(|e| with_causes(&e))?;
        let epoll = epoll(records.as_raw_fd()).map_err(|e| format!("epoll: {e}"))?;
        Ok(Ring { records, drops, counted: [0; CAUSES.len()], epoll })
    }

    /// Hands the next record to `read`; `None` when there is none.
    pub(super) fn next<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.records.next().map(|record| read(&record))
    }

    /// What was lost since last asked.
    pub(super) fn losses(&mut self) -> Vec<Loss> {
        let mut losses = Vec::new();
        for ((drop, cause), before) in CAUSES.into_iter().zip(&mut self.counted) {
            // A counter that cannot be read stays as it was, and is told when it can.
            let Ok(values) = self.drops.get(&(drop as u32), 0) else { continue };
            let now = values.iter().fold(0u64, |sum, n| sum.wrapping_add(*n));
            let count = now.wrapping_sub(*before);
            *before = now;
            if count > 0 {
                losses.push(Loss { cause, count });
            }
        }
        losses
    }

    pub(super) fn wait(&self, timeout: Duration) -> io::Result<()> {
        let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: the descriptor is open, and the pointer is to one live event.
        let n = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), &raw mut event, 1, timeout) };
        match io::Error::last_os_error() {
            error if n < 0 && error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }
}

/// Edge-triggered: the ring counts as readable whenever anything is in it, but only a wake-up is worth waking for.
fn epoll(ring: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made, and owned by nobody else.
    let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut event = libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: 0 };
    // SAFETY: both descriptors are open, and the pointer is to a live event.
    let result = unsafe { libc::epoll_ctl(fd, libc::EPOLL_CTL_ADD, ring, &raw mut event) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(epoll) }
}
