//! The clock of a replay: when an event of the recording is due.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use lanner_core::event::BootTime;

use super::Stop;
use crate::ui::{ReplayCommand, Speed};

/// How often a waiting replay looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// A silence that is passed over still lasts this long on the wall, so that it is noticed.
const SILENCE: Duration = Duration::from_secs(1);

/// Maps the recording's time onto the wall's.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    paused: bool,
    skips_silence: bool,
    /// A moment of the wall, and the recording's time then.
    anchor: Option<(Instant, BootTime)>,
    orders: Receiver<ReplayCommand>,
    stop: Stop,
}

impl Pace {
    pub(super) fn new(speed: Speed, skips_silence: bool, orders: Receiver<ReplayCommand>, stop: Stop) -> Self {
        Pace { speed, paused: false, skips_silence, anchor: None, orders, stop }
    }

    /// The recording's time is `time` now, unless it has begun to run before.
    pub(super) fn begin(&mut self, time: BootTime) {
        self.anchor.get_or_insert_with(|| (Instant::now(), time));
    }

    /// Waits until what happened at `time` is due. False: it is to stop.
    pub(super) fn wait_for(&mut self, time: BootTime) -> bool {
        loop {
            while let Ok(order) = self.orders.try_recv() {
                self.obey(order, time);
            }
            if self.stop.is_raised() {
                return false;
            }
            self.pass_over_silence(time);
            let left = self.left(time);
            if left.is_zero() {
                return true;
            }
            match self.orders.recv_timeout(left.min(LOOK)) {
                Ok(order) => self.obey(order, time),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody gives orders any more; the replay goes on as it was told last.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left.min(LOOK)),
            }
        }
    }

    /// How long until `time` is due; while paused a while, again and again.
    fn left(&mut self, time: BootTime) -> Duration {
        if self.paused {
            return LOOK;
        }
        if self.speed == Speed::MAX {
            return Duration::ZERO;
        }
        let (wall, recorded) = *self.anchor.get_or_insert((Instant::now(), time));
        seconds(time.since(recorded).as_secs_f64() / self.speed.factor()).saturating_sub(wall.elapsed())
    }

    /// Where nothing happens for longer, the recording's time jumps ahead to shortly before something does.
    fn pass_over_silence(&mut self, next: BootTime) {
        if !self.skips_silence || self.paused || self.speed == Speed::MAX || self.left(next) <= SILENCE {
            return;
        }
        let before = SILENCE.mul_f64(self.speed.factor().clamp(1e-6, 1e6));
        let nanoseconds = u64::try_from(before.as_nanos()).unwrap_or(u64::MAX);
        self.anchor = Some((Instant::now(), BootTime(next.0.saturating_sub(nanoseconds))));
    }

    fn obey(&mut self, order: ReplayCommand, next: BootTime) {
        let now = self.now(next);
        match order {
            ReplayCommand::Speed(speed) => self.speed = speed,
            ReplayCommand::Pause => self.paused = true,
            ReplayCommand::Resume => self.paused = false,
            ReplayCommand::SkipSilence(skips) => self.skips_silence = skips,
        }
        self.anchor = Some((Instant::now(), now));
    }

    /// The recording's time at this moment.
    fn now(&self, next: BootTime) -> BootTime {
        match self.anchor {
            Some((_, recorded)) if self.paused => recorded,
            Some((wall, recorded)) if self.speed != Speed::MAX => {
                recorded.after(seconds(wall.elapsed().as_secs_f64() * self.speed.factor())).min(next)
            }
            _ => next,
        }
    }
}

/// As long as can be when it is longer than that: a factor may be as small or as large as numbers are.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    const HOUR: BootTime = BootTime(3600 * 1_000_000_000);

    fn pace(factor: f64) -> Pace {
        let (_, orders) = sync_channel(1);
        Pace::new(Speed::times(factor).expect("it is above zero"), false, orders, Stop::default())
    }

    #[test]
    fn silences_are_passed_over_when_asked_for() {
        let mut pace = pace(1.0);
        pace.begin(BootTime(0));
        pace.pass_over_silence(HOUR);
        assert!(pace.left(HOUR) > Duration::from_secs(3_000));
        pace.obey(ReplayCommand::SkipSilence(true), HOUR);
        pace.pass_over_silence(HOUR);
        assert!(pace.left(HOUR) <= SILENCE);
        let soon = HOUR.after(Duration::from_millis(500));
        assert!(pace.left(soon) > SILENCE / 2, "what follows keeps its distance");
    }

    #[test]
    fn any_factor_has_a_pace() {
        for (factor, most) in [(1e300, Duration::ZERO), (3600.0, Duration::from_secs(1)), (1e-300, Duration::MAX)] {
            let mut pace = pace(factor);
            assert!(pace.left(BootTime(0)).is_zero());
            let left = pace.left(HOUR);
            assert!(
                left <= most && (most < Duration::MAX || left > Duration::from_secs(1 << 40)),
                "{factor}: {left:?}"
            );
            assert!(pace.now(HOUR) <= HOUR);
        }
    }

    #[test]
    fn while_paused_nothing_is_due_and_no_time_passes() {
        let mut pace = pace(1.0);
        assert!(pace.left(BootTime(0)).is_zero());
        pace.obey(ReplayCommand::Pause, HOUR);
        let paused_at = pace.now(HOUR);
        pace.obey(ReplayCommand::Speed(Speed::MAX), HOUR);
        assert_eq!((pace.left(HOUR), pace.now(HOUR)), (LOOK, paused_at));
        pace.obey(ReplayCommand::Resume, HOUR);
        assert!(pace.left(HOUR).is_zero());
    }

    #[test]
    fn a_stop_ends_a_wait() {
        let mut pace = pace(1.0);
        assert!(pace.wait_for(BootTime(0)));
        pace.stop.raise();
        assert!(!pace.wait_for(HOUR));
    }
}
