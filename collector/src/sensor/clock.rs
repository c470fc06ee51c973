//! The node's clock.
#![allow(unsafe_code)]

use std::time::Duration;

use lanner_core::event::BootTime;

/// Nanoseconds since boot, suspend included: the clock that the programs read too.
pub fn now() -> BootTime {
    BootTime(u64::try_from(read(libc::CLOCK_BOOTTIME)).unwrap_or(0))
}

/// What to add to a [`BootTime`] to get nanoseconds since 1970.
pub(super) fn wall_offset() -> i64 {
    let wall = read(libc::CLOCK_REALTIME);
    wall.saturating_sub(i64::try_from(now().0).unwrap_or(i64::MAX))
}

/// Processor time that this process has used.
pub fn used() -> Duration {
    worked(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Processor time that this thread has used.
pub(crate) fn used_by_thread() -> Duration {
    worked(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn worked(clock: libc::clockid_t) -> Duration {
    Duration::from_nanos(u64::try_from(read(clock)).unwrap_or(0))
}

fn read(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live local; all of these clocks exist on every kernel since 2.6.39, so the call cannot fail.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}
