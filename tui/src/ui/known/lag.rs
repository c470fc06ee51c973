//! How far what is known lies behind what happens. The clocks of a node and of this program have nothing to do with each
//! other; but how far apart they are changes only when something waits on the way. The least that was seen lately is taken
//! for a way on which nothing waited.

use std::time::Duration;

use lanner_core::event::BootTime;

/// For so long the least distance of the clocks is remembered, and up to twice as long: clocks run apart by and by.
const WINDOW: Duration = Duration::from_secs(600);

/// A lag is worth telling from here on.
pub(crate) const WORTH_TELLING: Duration = Duration::from_secs(2);

/// The distance of the clocks as it was lately.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    boot_id: String,
    /// The least distance in this window, and in the one before, in nanoseconds.
    least: Option<i128>,
    before: Option<i128>,
    begun: Duration,
}

impl Lag {
    /// What comes next is of this boot: the clock of another has nothing to do with this one's.
    pub(crate) fn node(&mut self, boot_id: &str) {
        if self.boot_id != boot_id {
            *self = Lag { boot_id: boot_id.to_owned(), ..Lag::default() };
        }
    }

    /// How far behind is what comes `at` (by any steady clock), and tells how things stood `then`.
    pub(crate) fn take(&mut self, at: Duration, then: BootTime) -> Duration {
        if at.saturating_sub(self.begun) > WINDOW {
            (self.before, self.least, self.begun) = (self.least, None, at);
        }
        let distance = i128::try_from(at.as_nanos()).unwrap_or(i128::MAX) - i128::from(then.0);
        let least = self.least.map_or(distance, |least| least.min(distance));
        self.least = Some(least);
        let least = self.before.map_or(least, |before| least.min(before));
        Duration::from_nanos(u64::try_from(distance - least).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_comes_late_is_behind_however_the_clocks_are_set() {
        for clock in [0, 12_345, 100_000_000] {
            let mut lag = Lag::default();
            let mut take = |at: u64, then: u64| lag.take(Duration::from_secs(at), BootTime((clock + then) * SECOND));
            assert_eq!(take(10, 10), Duration::ZERO);
            assert_eq!(take(11, 11), Duration::ZERO);
            assert_eq!(take(20, 12), Duration::from_secs(8));
            assert_eq!(take(21, 21), Duration::ZERO, "it has come up again");
        }
    }

    #[test]
    fn clocks_that_run_apart_are_no_lag_for_ever() {
        let mut lag = Lag::default();
        let mut latest = Duration::ZERO;
        // The node's clock runs slow by a thousandth.
        for at in 0..100_000_u64 {
            latest = lag.take(Duration::from_secs(at), BootTime(at * (SECOND - SECOND / 1000)));
        }
        assert!(latest < WORTH_TELLING, "{latest:?}");
    }

    #[test]
    fn another_boot_has_another_clock() {
        let mut lag = Lag::default();
        lag.node("a");
        lag.take(Duration::from_secs(5), BootTime(1_000 * SECOND));
        lag.node("b");
        assert_eq!(lag.take(Duration::from_secs(6), BootTime(3 * SECOND)), Duration::ZERO);
    }
}
