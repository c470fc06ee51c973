//! Who calls whom, how often and how regularly.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::event::{BootTime, ContainerId, ProcessKey};
use crate::persistent::{Stock, Table};

/// Callers and peers that are kept; the oldest go first.
const MAX_CONTACTS: usize = 16_384;
/// Gaps between calls that are looked at: the latest. Few, so that a pause does not hide a beacon for long.
const WINDOW: usize = 5;
/// Gaps needed before calls may be called regular.
const ENOUGH: usize = 4;
/// Calls closer to each other than this are one burst of a client at work, not a beat.
const SHORTEST_BEAT: Duration = Duration::from_millis(500);
/// How far gaps may spread round their mean (standard deviation over mean) and still be a beat. Implants add jitter.
const REGULAR: f64 = 0.35;

/// Who calls. A beacon may be a loop that starts a new process for each call, so that a container counts as one caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    Container(ContainerId),
    Process(ProcessKey),
}

#[derive(Debug, Clone)]
struct Contact {
    last: BootTime,
    gaps: VecDeque<Duration>,
    beacon_since: Option<u64>,
}

/// All calls.
#[derive(Debug, Clone, Default)]
pub(super) struct Contacts {
    known: Table<(Caller, SocketAddr), Contact>,
}

impl Contacts {
    /// Notes a connection attempt; `seq` is its event.
    pub(super) fn called(&mut self, caller: Caller, peer: SocketAddr, time: BootTime, seq: u64) {
        if self.known.len() >= MAX_CONTACTS && !self.known.contains_key(&(caller.clone(), peer)) {
            self.known.pop_first();
        }
        match self.known.get_mut(&(caller.clone(), peer)) {
            None => {
                self.known.insert((caller, peer), Contact { last: time, gaps: VecDeque::new(), beacon_since: None });
            }
            Some(contact) => {
                let gap = time.since(contact.last);
                contact.last = time;
                if contact.gaps.len() == WINDOW {
                    contact.gaps.pop_front();
                }
                contact.gaps.push_back(gap);
                if contact.beacon_since.is_none() && is_regular(&contact.gaps) {
                    contact.beacon_since = Some(seq);
                }
            }
        }
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.known.take_stock()
    }

    /// Bytes of memory, about: with what the gaps take.
    pub(super) fn bytes(&self) -> usize {
        self.known.len() * (size_of::<(Caller, SocketAddr, Contact)>() * 3 / 2 + 8 * size_of::<Duration>())
    }

    /// The call (`header.seq`) at which the calls to `peer` showed to be regular.
    pub(super) fn beacon_since(&self, caller: Caller, peer: SocketAddr) -> Option<u64> {
        self.known.get(&(caller, peer))?.beacon_since
    }
}

#[allow(clippy::cast_precision_loss)]
fn is_regular(gaps: &VecDeque<Duration>) -> bool {
    if gaps.len() < ENOUGH {
        return false;
    }
    let n = gaps.len() as f64;
    let mean = gaps.iter().map(Duration::as_secs_f64).sum::<f64>() / n;
    let variance = gaps.iter().map(|g| (g.as_secs_f64() - mean).powi(2)).sum::<f64>() / n;
    mean >= SHORTEST_BEAT.as_secs_f64() && variance.sqrt() <= REGULAR * mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beacon(gaps_ms: &[u64]) -> Option<u64> {
        let (mut contacts, mut now) = (Contacts::default(), 1_000_000_000);
        let caller = Caller::Process(ProcessKey::new(7, 7));
        let peer = SocketAddr::from(([10, 0, 0, 1], 443));
        contacts.called(caller.clone(), peer, BootTime(now), 1);
        for (i, gap) in gaps_ms.iter().enumerate() {
            now += gap * 1_000_000;
            contacts.called(caller.clone(), peer, BootTime(now), i as u64 + 2);
        }
        contacts.beacon_since(caller, peer)
    }

    #[test]
    fn calls_at_regular_gaps_are_a_beacon() {
        assert_eq!(beacon(&[3000, 3010, 2990, 3000]), Some(5));
        assert_eq!(beacon(&[5000, 4000, 6000, 5500]), Some(5), "with jitter");
        assert_eq!(beacon(&[600_000, 3000, 3000, 3000, 3000, 3000]), Some(7), "after a pause");
    }

    #[test]
    fn bursts_and_irregular_calls_are_not() {
        assert_eq!(beacon(&[3000, 3000, 3000]), None, "too few");
        assert_eq!(beacon(&[5, 5, 5, 5, 5, 5]), None, "a client at work");
        assert_eq!(beacon(&[100, 9000, 30, 60_000, 4, 700, 20_000]), None);
    }
}
