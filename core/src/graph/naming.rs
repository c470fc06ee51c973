//! Which name an address was last given as the answer to, so that people read `10.9.0.2 (c2.example)`.
//!
//! Per network namespace: what one container was told about an address, true or not, is nothing that another one knows.

use std::net::IpAddr;

use crate::event::{BootTime, Dns, Header, ProcessKey, ResponseCode, Text};
use crate::hash::HashSet;
use crate::persistent::{Stock, Table};

/// Addresses whose names are kept; those answered longest ago go first, and are counted.
const MAX_NAMES: usize = 32_768;

/// The name of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The name that was asked for, as it was spelled.
    pub name: Text,
    /// Who asked last.
    pub asked_by: ProcessKey,
    /// When the last answer came.
    pub time: BootTime,
    /// The event (`header.seq`) of that answer.
    pub seq: u64,
}

/// Names of addresses.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// By network namespace and address, in the order of the latest answers.
    known: Table<(u32, IpAddr), Naming>,
    let_go: u64,
}

impl Names {
    /// Notes the addresses of an answer. One whose question nobody was seen to ask proves nothing.
    pub(super) fn learn(&mut self, header: &Header, dns: &Dns) {
        let Some(reply) = dns.reply.as_ref().filter(|r| r.rcode == ResponseCode::NOERROR && dns.waited.is_some())
        else {
            return;
        };
        for address in &reply.addresses {
            let naming =
                Naming { name: dns.name.clone(), asked_by: header.process, time: header.time, seq: header.seq };
            self.note((dns.flow.netns, address.to_canonical()), naming);
        }
    }

    fn note(&mut self, at: (u32, IpAddr), naming: Naming) {
        if let Some(known) = self.known.get_mut(&at) {
            *known = naming;
            return;
        }
        if self.known.len() >= MAX_NAMES {
            self.forget();
        }
        self.known.insert(at, naming);
    }

    /// Makes room for a sixteenth.
    fn forget(&mut self) {
        let mut by_age: Vec<(BootTime, u64, (u32, IpAddr))> =
            self.known.iter().map(|(at, naming)| (naming.time, naming.seq, *at)).collect();
        by_age.sort_unstable();
        let goes: HashSet<(u32, IpAddr)> = by_age.iter().take(MAX_NAMES / 16).map(|(_, _, at)| *at).collect();
        self.known.retain(|at, _| !goes.contains(at));
        self.let_go += goes.len() as u64;
    }

    pub(super) fn of(&self, netns: u32, address: IpAddr) -> Option<&Naming> {
        self.known.get(&(netns, address.to_canonical()))
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.known.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.known.len() * (size_of::<(u32, IpAddr, Naming)>() * 3 / 2 + 48)
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{DnsReply, DnsTransport, Flow, FlowId, Origin, RecordType};

    fn answer(names: &mut Names, seq: u64, netns: u32, name: &str, address: [u8; 4]) {
        let end = "127.0.0.1:53".parse().expect("an address");
        let dns = Dns {
            flow: Flow { id: FlowId(1), local: end, remote: end, netns },
            transport: DnsTransport::Udp,
            name: name.into(),
            record_type: RecordType::A,
            reply: Some(DnsReply { addresses: vec![address.into()], records: 1, ..DnsReply::default() }),
            waited: Some(Duration::ZERO),
        };
        let process = ProcessKey::new(7, 7);
        names.learn(
            &Header { seq, time: BootTime(seq), cpu: 0, process, tid: 7, origin: Origin::Live, compat: false },
            &dns,
        );
    }

    fn name(names: &Names, netns: u32, address: [u8; 4]) -> Option<String> {
        names.of(netns, address.into()).map(|naming| naming.name.to_string())
    }

    #[test]
    fn the_latest_answer_names_an_address_where_it_was_given() {
        let mut names = Names::default();
        answer(&mut names, 1, 5, "old.example", [10, 9, 0, 2]);
        answer(&mut names, 2, 5, "c2.example", [10, 9, 0, 2]);
        assert_eq!(name(&names, 5, [10, 9, 0, 2]).as_deref(), Some("c2.example"));
        assert_eq!(name(&names, 6, [10, 9, 0, 2]), None, "another network");
        assert_eq!(names.of(5, "::ffff:10.9.0.2".parse().expect("an address")).map(|n| n.seq), Some(2));
    }

    #[test]
    fn what_was_answered_longest_ago_is_let_go_and_counted() {
        let mut names = Names::default();
        let address = |i: u32| i.to_be_bytes();
        for i in 0..MAX_NAMES as u32 {
            answer(&mut names, u64::from(i) + 1, 1, "a.example", address(i));
        }
        answer(&mut names, 1_000_000, 1, "again.example", address(0));
        answer(&mut names, 1_000_001, 1, "new.example", address(u32::MAX));
        assert_eq!((names.known.len(), names.let_go()), (MAX_NAMES - MAX_NAMES / 16 + 1, MAX_NAMES as u64 / 16));
        assert!(name(&names, 1, address(0)).is_some() && name(&names, 1, address(1)).is_none());
    }
}
