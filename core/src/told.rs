//! Which events were taken in lately, so that one that is told twice happened once.

use crate::event::{BootTime, Header, Origin};

/// How many events back one is known again: more than a batch has.
const KEPT: usize = 1_024;

/// The latest events, each where its number puts it. A collector that begins anew counts anew; so their times count too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told(Vec<(u64, BootTime)>);

impl Told {
    /// Whether this event is news. What was there before the sensor is told as often as somebody asks, and may have no
    /// number.
    pub(crate) fn is_news(&mut self, header: &Header) -> bool {
        if header.origin != Origin::Live || header.seq == 0 {
            return true;
        }
        if self.0.is_empty() {
            self.0 = vec![(0, BootTime::default()); KEPT];
        }
        let this = (header.seq, header.time);
        std::mem::replace(&mut self.0[header.seq as usize % KEPT], this) != this
    }
}
