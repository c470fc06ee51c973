//! The clock of a replay: when an event of the recording is due.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use lanner_core::event::BootTime;

use super::Stop;
use crate::ui::{ReplayCommand, Speed};

/// How often a waiting replay looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(50);

/// Maps the recording's time onto the wall's.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    paused: bool,
    /// A moment of the wall, and the recording's time then.
    anchor: Option<(Instant, BootTime)>,
    orders: Receiver<ReplayCommand>,
    stop: Stop,
}

impl Pace {
    pub(super) fn new(speed: Speed, orders: Receiver<ReplayCommand>, stop: Stop) -> Self {
        Pace { speed, paused: false, anchor: None, orders, stop }
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
        time.since(recorded).div_f64(self.speed.factor()).saturating_sub(wall.elapsed())
    }

    fn obey(&mut self, order: ReplayCommand, next: BootTime) {
        let now = self.now(next);
        match order {
            ReplayCommand::Speed(speed) => self.speed = speed,
            ReplayCommand::Pause => self.paused = true,
            ReplayCommand::Resume => self.paused = false,
        }
        self.anchor = Some((Instant::now(), now));
    }

    /// The recording's time at this moment.
    fn now(&self, next: BootTime) -> BootTime {
        match self.anchor {
            Some((_, recorded)) if self.paused => recorded,
            Some((wall, recorded)) if self.speed != Speed::MAX => {
                recorded.after(wall.elapsed().mul_f64(self.speed.factor())).min(next)
            }
            _ => next,
        }
    }
}
