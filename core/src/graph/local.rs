//! Connections both of whose ends are on this node: each end is told by itself, from its own side.

use std::net::SocketAddr;

use crate::event::{Flow, FlowId, ProcessKey};
use crate::persistent::{Stock, Table};

/// Ends that are kept; the oldest go first.
const MAX_ENDS: usize = 32_768;

/// An end as its own side sees it: this address, the other. Loopback addresses mean something in their network namespace
/// alone; others may be met in another one of the node, where a bridge leads.
type End = (u32, SocketAddr, SocketAddr);

#[derive(Debug, Clone, Copy)]
struct Side {
    flow: FlowId,
    process: ProcessKey,
    closed: bool,
    other: Option<ProcessKey>,
}

/// All ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Ends {
    known: Table<End, Side>,
}

impl Ends {
    /// Notes that a process has this end; the process at the other end, if that has just become known.
    pub(super) fn meet(&mut self, flow: &Flow, process: ProcessKey) -> Option<ProcessKey> {
        let own = end(flow);
        if let Some(known) = self.known.get(&own)
            && known.flow == flow.id
        {
            return None;
        }
        // Whoever has called and hung up before the other took the call still counts; who was met before does not.
        let there = (own.0, own.2, own.1);
        let other = self.known.get(&there).filter(|side| !(side.closed && side.other.is_some())).map(|s| s.process);
        if other.is_some()
            && let Some(side) = self.known.get_mut(&there)
        {
            side.other = Some(process);
        }
        if self.known.len() >= MAX_ENDS && !self.known.contains_key(&own) {
            self.known.pop_first();
        }
        self.known.insert(own, Side { flow: flow.id, process, closed: false, other });
        other
    }

    /// Notes that a connection ended. Its other end remains known, for those who ask about it now.
    pub(super) fn close(&mut self, flow: &Flow) {
        if let Some(side) = self.known.get_mut(&end(flow)).filter(|side| side.flow == flow.id) {
            side.closed = true;
        }
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.known.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.known.len() * size_of::<(End, Side)>() * 3 / 2
    }

    /// The process at the other end.
    pub(super) fn other(&self, flow: &Flow) -> Option<ProcessKey> {
        self.known.get(&end(flow)).filter(|side| side.flow == flow.id)?.other
    }
}

fn end(flow: &Flow) -> End {
    let canonical = |a: SocketAddr| SocketAddr::new(a.ip().to_canonical(), a.port());
    let (local, remote) = (canonical(flow.local), canonical(flow.remote));
    let apart = local.ip().is_loopback() || remote.ip().is_loopback();
    (if apart { flow.netns } else { 0 }, local, remote)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(id: u64, local: &str, remote: &str, netns: u32) -> Flow {
        let address = |text: &str| text.parse().expect("an address");
        Flow { id: FlowId(id), local: address(local), remote: address(remote), netns }
    }

    const A: ProcessKey = ProcessKey::new(1, 1);
    const B: ProcessKey = ProcessKey::new(2, 2);
    const C: ProcessKey = ProcessKey::new(3, 3);

    #[test]
    fn two_ends_meet_whichever_comes_first_and_also_after_a_close() {
        let (here, there) = (flow(1, "127.0.0.1:5", "127.0.0.1:80", 7), flow(2, "127.0.0.1:80", "127.0.0.1:5", 7));
        let mut ends = Ends::default();
        assert_eq!(ends.meet(&here, A), None);
        ends.close(&here);
        assert_eq!(ends.meet(&there, B), Some(A));
        assert_eq!(ends.meet(&there, B), None, "once");
        assert_eq!((ends.other(&here), ends.other(&there)), (Some(B), Some(A)));
    }

    #[test]
    fn loopback_addresses_of_two_networks_are_strangers_and_others_are_not() {
        let mut ends = Ends::default();
        ends.meet(&flow(1, "127.0.0.1:5", "127.0.0.1:80", 7), A);
        assert_eq!(ends.meet(&flow(2, "127.0.0.1:80", "127.0.0.1:5", 8), B), None);
        ends.meet(&flow(3, "10.0.0.2:5", "10.0.0.3:80", 7), A);
        assert_eq!(ends.meet(&flow(4, "10.0.0.3:80", "10.0.0.2:5", 8), B), Some(A));
    }

    #[test]
    fn a_port_that_is_used_again_does_not_lead_to_who_had_it_before() {
        let there = flow(2, "127.0.0.1:80", "127.0.0.1:5", 7);
        let mut ends = Ends::default();
        ends.meet(&flow(1, "127.0.0.1:5", "127.0.0.1:80", 7), A);
        assert_eq!(ends.meet(&there, B), Some(A));
        ends.close(&there);
        let again = flow(3, "127.0.0.1:5", "127.0.0.1:80", 7);
        assert_eq!(ends.meet(&again, C), None);
        assert_eq!(ends.other(&there), Some(A), "of the first it is known still");
        assert_eq!(ends.meet(&flow(4, "127.0.0.1:80", "127.0.0.1:5", 7), B), Some(C));
    }

    #[test]
    fn ends_are_bounded() {
        let mut ends = Ends::default();
        for i in 0..MAX_ENDS as u64 * 2 {
            let local = format!("10.{}.{}.{}:{}", i >> 16 & 255, i >> 8 & 255, i & 255, 1);
            ends.meet(&flow(i, &local, "10.9.9.9:80", 1), A);
        }
        assert!(ends.known.len() <= MAX_ENDS);
    }
}
