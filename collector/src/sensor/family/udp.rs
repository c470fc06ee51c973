//! UDP flows. The kernel counts and tells of beginnings and closed sockets; what lies between is looked up here, at
//! intervals, and taken out of the kernel's map once nothing passes any more.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use aya::programs::CgroupSkbAttachType;
use lanner_collector_abi::{UdpCounts, UdpKey, UdpRecord, UdpReleaseRecord};
use lanner_core::event::{BootTime, Datagrams, Event, Flow, FlowId, Header, Origin, Payload, Udp, UdpStage};

use crate::sensor::config::FlowLimits;
use crate::sensor::hooks::{Attach, Spec};
use crate::sensor::record::{self, Reader, address, live};

pub(super) const HOOKS: &[Spec] = &[
    Spec {
        name: "cgroup/sock_create",
        program: "udp_create",
        attach: Attach::CgroupSocket,
        without: "whose UDP sockets are that have not sent anything",
        unless: "",
    },
    Spec {
        name: "cgroup/sock_release",
        program: "udp_release",
        attach: Attach::CgroupSocket,
        without: "when UDP sockets are closed",
        unless: "",
    },
    Spec {
        name: "cgroup/recvmsg4",
        program: "udp_recv4",
        attach: Attach::CgroupAddress,
        without: "who reads from UDP sockets that someone else made",
        unless: "",
    },
    Spec {
        name: "cgroup/recvmsg6",
        program: "udp_recv6",
        attach: Attach::CgroupAddress,
        without: "who reads from UDP sockets over IPv6 that someone else made",
        unless: "",
    },
    Spec {
        name: "cgroup_skb/ingress",
        program: "packet_in",
        attach: Attach::CgroupPackets(CgroupSkbAttachType::Ingress),
        without: "UDP datagrams that come in, and the answers of name servers",
        unless: "",
    },
    Spec {
        name: "cgroup_skb/egress",
        program: "packet_out",
        attach: Attach::CgroupPackets(CgroupSkbAttachType::Egress),
        without: "UDP datagrams that are sent, and the questions to name servers",
        unless: "",
    },
];

/// Once three quarters of the room are taken, flows that are silent for so long make room for others.
const CALM: Duration = Duration::from_secs(1);
/// Flows that are looked up at one time, so that it ends soon.
const LOOKED_UP: usize = 512;

/// Where the kernel counts.
pub(in crate::sensor) trait Counters {
    /// What has passed on a flow.
    fn get(&self, key: &UdpKey) -> Option<UdpCounts>;
    /// Forgets a flow.
    fn remove(&mut self, key: &UdpKey);
}

/// A flow that the kernel counts.
#[derive(Debug)]
struct Known {
    /// Its first event.
    header: Header,
    udp: Udp,
    due: BootTime,
}

/// All flows that the kernel counts: as many as its map has room for.
#[derive(Debug)]
pub(in crate::sensor) struct Flows<C> {
    counters: C,
    limits: FlowLimits,
    known: HashMap<UdpKey, Known>,
    /// The flows of each socket.
    sockets: BTreeMap<(u64, FlowId), UdpKey>,
    /// When to look next, one entry a flow.
    due: BTreeMap<(BootTime, FlowId), UdpKey>,
}

impl<C: Counters> Flows<C> {
    pub(in crate::sensor) fn new(counters: C, limits: FlowLimits) -> Self {
        Flows { counters, limits, known: HashMap::new(), sockets: BTreeMap::new(), due: BTreeMap::new() }
    }

    /// A flow's first datagram.
    pub(super) fn started(&mut self, reader: &mut Reader<'_>) -> Option<Event> {
        let record = reader.fixed::<UdpRecord>()?;
        let family = u32::from(record.key.family);
        let local = SocketAddr::new(address(family, record.local)?, record.local_port);
        let remote = SocketAddr::new(address(family, record.key.remote)?, record.key.port);
        let flow = Flow { id: FlowId(record.flow), local, remote, netns: record.netns };
        let first = Datagrams { datagrams: record.datagrams.into(), bytes: record.bytes.into() };
        let none = Datagrams::default();
        let (sent, received) = if record.incoming != 0 { (none, first) } else { (first, none) };
        let udp = Udp {
            flow,
            stage: UdpStage::Started,
            outgoing: record.incoming == 0,
            connected: record.connected != 0,
            sent,
            received,
            lasted: Duration::ZERO,
        };
        let header = live(&record.header);
        let due = header.time.after(self.limits.update);
        // Of a flow that is known already the kernel had lost its memory.
        self.forget(&record.key);
        self.known.insert(record.key, Known { header, udp, due });
        self.sockets.insert((record.key.socket, flow.id), record.key);
        self.due.insert((due, flow.id), record.key);
        Some(Event { header, payload: Payload::Udp(Box::new(udp)) })
    }

    /// A socket was closed: its flows end. Says which socket it was, and when and on which processor.
    pub(super) fn released(&mut self, reader: &mut Reader<'_>, out: &mut Vec<Event>) -> Option<(u64, (BootTime, u32))> {
        let record = reader.fixed::<UdpReleaseRecord>()?;
        let header = live(&record.header);
        let at = (header.time, header.cpu);
        let flows = self.sockets.range((record.socket, FlowId(0))..=(record.socket, FlowId(u64::MAX)));
        for key in flows.map(|(_, key)| *key).collect::<Vec<_>>() {
            self.end(&key, UdpStage::Closed, at, out);
        }
        Some((record.socket, at))
    }

    /// Looks up the flows whose time has come. Nothing that happened before `now` is still to be read.
    pub(super) fn look(&mut self, now: BootTime, out: &mut Vec<Event>) {
        for _ in 0..LOOKED_UP {
            let Some((&(due, id), &key)) = self.due.first_key_value() else { break };
            let (patience, ahead) = if self.known.len() < self.limits.room as usize / 4 * 3 {
                (self.limits.silent, Duration::ZERO)
            } else {
                (CALM, self.limits.update.saturating_sub(CALM))
            };
            if due > now.after(ahead) {
                break;
            }
            let silent = self.counters.get(&key).is_none_or(|c| now.since(BootTime(c.last)) >= patience);
            if silent {
                self.end(&key, UdpStage::Silent, (now, 0), out);
                continue;
            }
            self.due.remove(&(due, id));
            if let Some(known) = self.known.get_mut(&key) {
                known.due = now.after(self.limits.update);
                self.due.insert((known.due, id), key);
            }
            self.tell(&key, UdpStage::Continues, (now, 0), out);
        }
    }

    /// What has passed since flows were last told of: for the end.
    pub(super) fn finish(&mut self, now: BootTime, out: &mut Vec<Event>) {
        let mut all: Vec<UdpKey> = self.due.values().copied().collect();
        all.sort_by_key(|key| self.known.get(key).map(|known| known.udp.flow.id));
        for key in all {
            self.tell(&key, UdpStage::Continues, (now, 0), out);
        }
    }

    fn end(&mut self, key: &UdpKey, stage: UdpStage, at: (BootTime, u32), out: &mut Vec<Event>) {
        self.tell(key, stage, at, out);
        self.forget(key);
        self.counters.remove(key);
    }

    /// Tells how far a flow has come; nothing when it goes on and nothing has passed.
    fn tell(&mut self, key: &UdpKey, stage: UdpStage, (time, cpu): (BootTime, u32), out: &mut Vec<Event>) {
        let Some(known) = self.known.get_mut(key) else { return };
        let before = (known.udp.sent, known.udp.received);
        if let Some(counts) = self.counters.get(key) {
            known.udp.sent = Datagrams { datagrams: counts.sent, bytes: counts.sent_bytes };
            known.udp.received = Datagrams { datagrams: counts.received, bytes: counts.received_bytes };
            if known.header.process.is_unknown() {
                known.header.process = record::key(counts.owner);
            }
        }
        if stage == UdpStage::Continues && before == (known.udp.sent, known.udp.received) {
            return;
        }
        let header = Header { time, cpu, origin: Origin::Live, ..known.header };
        let udp = Udp { stage, lasted: time.since(known.header.time), ..known.udp };
        out.push(Event { header, payload: Payload::Udp(Box::new(udp)) });
    }

    fn forget(&mut self, key: &UdpKey) {
        let Some(known) = self.known.remove(key) else { return };
        self.due.remove(&(known.due, known.udp.flow.id));
        self.sockets.remove(&(key.socket, known.udp.flow.id));
    }
}

#[cfg(test)]
mod tests;
