//! Connections, datagrams, listening sockets and questions to name servers, each as far as it has come.

use std::net::SocketAddr;
use std::time::Duration;

use lanner_core::event::{
    Attempt, BootTime, Datagrams, Dns, DnsReply, End, Event, Flow, FlowId, Header, Payload, ProcessKey, Quality,
    RecordType, ResponseCode, Text, Udp, UdpStage,
};
use lanner_core::persistent::{Place, Stock, Table};

use super::going::Going;

/// Flows that are kept; for one more another goes, those that ended first, then the oldest. They are counted.
const MAX_FLOWS: usize = 32_768;

/// Which flow, for as long as this program runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum FlowKey {
    /// A TCP socket.
    Tcp(FlowId),
    /// A UDP socket and its peer.
    Udp(FlowId, SocketAddr),
    /// A listening socket: its network namespace and address.
    Listen(u32, SocketAddr),
    /// What a process asked of a name.
    Dns(ProcessKey, RecordType, Text),
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlowState {
    /// Tried, and no answer yet.
    Trying,
    /// Data can pass.
    Open,
    /// Waits for others to connect.
    Listening,
    /// The attempt failed; the errno, 0 for given up.
    Failed(u32),
    /// It ended.
    Ended(End),
    /// Nothing has passed for a while.
    Silent,
    /// A name server's last answer; `None`: there was none.
    Answered(Option<ResponseCode>),
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) key: FlowKey,
    /// Whose end it is.
    pub(crate) process: ProcessKey,
    pub(crate) local: SocketAddr,
    /// For a listening socket the same as `local`.
    pub(crate) remote: SocketAddr,
    pub(crate) flow: FlowId,
    pub(crate) netns: u32,
    /// Whether this end began it; `None`: it is older than the sensor.
    pub(crate) outgoing: Option<bool>,
    pub(crate) state: FlowState,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    /// TCP only, and only once it was told.
    pub(crate) quality: Option<Quality>,
    pub(crate) since: BootTime,
    pub(crate) last: BootTime,
    /// The last event about it (`header.seq`).
    pub(crate) seq: u64,
    /// What was answered last, to a question.
    pub(crate) reply: Option<DnsReply>,
    /// How long the answer took.
    pub(crate) waited: Option<Duration>,
    /// How many times the same was asked.
    pub(crate) times: u64,
    /// How many of those failed.
    pub(crate) failures: u64,
}

impl Line {
    fn new(key: FlowKey, header: &Header, flow: &Flow, state: FlowState) -> Line {
        Line {
            key,
            process: header.process,
            local: flow.local,
            remote: flow.remote,
            flow: flow.id,
            netns: flow.netns,
            outgoing: None,
            state,
            sent: 0,
            received: 0,
            quality: None,
            since: header.time,
            last: header.time,
            seq: header.seq,
            reply: None,
            waited: None,
            times: 1,
            failures: 0,
        }
    }

    /// As [`lanner_core::graph::Graph::other_end`] takes it.
    pub(crate) fn as_flow(&self) -> Flow {
        Flow { id: self.flow, local: self.local, remote: self.remote, netns: self.netns }
    }

    /// Whether something may still come of it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, FlowState::Trying | FlowState::Open | FlowState::Listening)
    }

    /// Whether it did not work: refused, timed out, reset, no such name.
    pub(crate) fn is_failure(&self) -> bool {
        match self.state {
            FlowState::Failed(_) => true,
            FlowState::Ended(end) => matches!(end, End::Reset | End::TimedOut | End::Broken(_)),
            FlowState::Answered(rcode) => rcode != Some(ResponseCode::NOERROR),
            FlowState::Trying | FlowState::Open | FlowState::Listening | FlowState::Silent => false,
        }
    }
}

/// All of them, in the order in which they became known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flows {
    known: Table<FlowKey, Line>,
    going: Going,
    let_go: u64,
}

impl Flows {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(crate) fn take_stock(&mut self) -> Stock {
        self.known.take_stock() + self.going.stock()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Line> {
        self.known.values()
    }

    pub(crate) fn get(&self, key: &FlowKey) -> Option<&Line> {
        self.known.get(key)
    }

    /// The places of all of them: each keeps its own until it is let go.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.known.end()).filter(|place| self.known.at(*place).is_some())
    }

    pub(crate) fn place(&self, key: &FlowKey) -> Option<Place> {
        self.known.place(key)
    }

    pub(crate) fn at(&self, place: Place) -> Option<&Line> {
        self.known.at(place).map(|(_, line)| line)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// How many had to be let go to bound the memory.
    pub(crate) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// The flow that an event speaks of.
    pub(crate) fn of_event(event: &Event) -> Option<FlowKey> {
        Some(match &event.payload {
            Payload::Connect(connect) => FlowKey::Tcp(connect.flow.id),
            Payload::Accept(accept) => FlowKey::Tcp(accept.flow.id),
            Payload::Traffic(traffic) => FlowKey::Tcp(traffic.flow.id),
            Payload::Close(close) => FlowKey::Tcp(close.flow.id),
            Payload::Udp(udp) => FlowKey::Udp(udp.flow.id, udp.flow.remote),
            Payload::Listen(listen) => FlowKey::Listen(listen.netns, listen.local),
            Payload::Dns(dns) => FlowKey::Dns(event.header.process, dns.record_type, dns.name.clone()),
            _ => return None,
        })
    }

    /// Takes in an event; tells `changed` where the flow stands that it speaks of, and where one stood that it lets go.
    pub(crate) fn apply(&mut self, event: &Event, mut changed: impl FnMut(Place)) {
        let Some((key, flow)) = Flows::of_event(event).zip(flow_of(&event.payload)) else { return };
        let place = self.line(key, &event.header, &flow, &mut changed);
        changed(place);
        let line = self.known.value_mut(place);
        match &event.payload {
            Payload::Connect(connect) => {
                (line.local, line.remote) = (connect.flow.local, connect.flow.remote);
                line.outgoing = Some(true);
                line.state = match connect.attempt {
                    Attempt::Started => FlowState::Trying,
                    Attempt::Established => FlowState::Open,
                    Attempt::Failed(errno) => FlowState::Failed(errno),
                };
            }
            Payload::Accept(_) => {
                line.outgoing = Some(false);
                line.state = FlowState::Open;
            }
            Payload::Traffic(traffic) => {
                line.outgoing = traffic.outgoing.or(line.outgoing);
                (line.sent, line.received) = (traffic.sent, traffic.received);
                line.quality = Some(traffic.quality);
                line.state = FlowState::Open;
            }
            Payload::Close(close) => {
                line.outgoing = close.outgoing.or(line.outgoing);
                (line.sent, line.received) = (close.sent, close.received);
                line.quality = Some(close.quality);
                // What failed before it was open says more by that than by how its socket ended.
                if !matches!(line.state, FlowState::Failed(_)) {
                    line.state = FlowState::Ended(close.end);
                }
            }
            Payload::Listen(_) => {
                line.process = event.header.process;
                line.state = FlowState::Listening;
            }
            Payload::Udp(udp) => udp_line(line, udp),
            Payload::Dns(dns) => dns_line(line, dns),
            _ => {}
        }
    }

    /// Where the line of a flow stands, which this event is the last of now.
    fn line(&mut self, key: FlowKey, header: &Header, flow: &Flow, changed: &mut impl FnMut(Place)) -> Place {
        let place = self.known.place(&key).unwrap_or_else(|| {
            if self.known.len() >= MAX_FLOWS {
                changed(self.let_one_go());
            }
            let line = Line { times: 0, ..Line::new(key.clone(), header, flow, FlowState::Trying) };
            self.known.insert(key, line)
        });
        let line = self.known.value_mut(place);
        line.times += 1;
        (line.last, line.seq) = (header.time, header.seq);
        place
    }

    /// Lets one go; says where it stood.
    fn let_one_go(&mut self) -> Place {
        loop {
            let Some((place, seq)) = self.going.pop() else {
                self.choose();
                continue;
            };
            if let Some(key) = self.at(place).filter(|line| line.seq == seq).map(|line| line.key.clone()) {
                self.known.remove(&key);
                self.let_go += 1;
                return place;
            }
        }
    }

    /// Chooses who goes next.
    fn choose(&mut self) {
        let worth = |place: Place| self.at(place).map(|line| (line.is_open(), line.last, place, line.seq));
        self.going = Going::of(self.places().filter_map(worth));
    }
}

/// The flow itself; of a listening socket its one end.
fn flow_of(payload: &Payload) -> Option<Flow> {
    Some(match payload {
        Payload::Connect(connect) => connect.flow,
        Payload::Accept(accept) => accept.flow,
        Payload::Traffic(traffic) => traffic.flow,
        Payload::Close(close) => close.flow,
        Payload::Udp(udp) => udp.flow,
        Payload::Dns(dns) => dns.flow,
        Payload::Listen(listen) => {
            Flow { id: FlowId(0), local: listen.local, remote: listen.local, netns: listen.netns }
        }
        _ => return None,
    })
}

fn udp_line(line: &mut Line, udp: &Udp) {
    line.outgoing = Some(udp.outgoing);
    let bytes = |of: Datagrams| of.bytes;
    (line.sent, line.received) = (bytes(udp.sent), bytes(udp.received));
    line.state = match udp.stage {
        UdpStage::Started | UdpStage::Continues => FlowState::Open,
        UdpStage::Silent => FlowState::Silent,
        UdpStage::Closed => FlowState::Ended(End::Finished),
    };
}

fn dns_line(line: &mut Line, dns: &Dns) {
    line.outgoing = Some(true);
    line.remote = dns.flow.remote;
    let rcode = dns.reply.as_ref().map(|reply| reply.rcode);
    line.failures += u64::from(rcode != Some(ResponseCode::NOERROR));
    line.state = FlowState::Answered(rcode);
    line.reply.clone_from(&dns.reply);
    line.waited = dns.waited;
}

#[cfg(test)]
mod tests {
    use lanner_core::event::{Close, Connect, Origin};

    use super::*;

    fn event(seq: u64, payload: Payload) -> Event {
        let process = ProcessKey::new(7, 7);
        Event {
            header: Header { seq, time: BootTime(seq), cpu: 0, process, tid: 7, origin: Origin::Live, compat: false },
            payload,
        }
    }

    fn flow(id: u64) -> Flow {
        let end = |port| SocketAddr::from(([10, 0, 0, 1], port));
        Flow { id: FlowId(id), local: end(40_000), remote: end(443), netns: 1 }
    }

    fn connect(id: u64, attempt: Attempt) -> Payload {
        Payload::Connect(Connect { flow: flow(id), attempt, asked: false })
    }

    fn close(id: u64, end: End) -> Payload {
        Payload::Close(Close {
            flow: flow(id),
            outgoing: Some(true),
            sent: 10,
            received: 20,
            quality: Quality::default(),
            end,
            lasted: Duration::ZERO,
        })
    }

    #[test]
    fn a_connection_is_one_line_from_its_first_packet_to_its_end() {
        let mut flows = Flows::default();
        let states = [connect(1, Attempt::Started), connect(1, Attempt::Established), close(1, End::Reset)].map(|p| {
            flows.apply(&event(1, p), |_| ());
            flows.iter().next().map(|line| (line.state, line.is_failure()))
        });
        let expected =
            [(FlowState::Trying, false), (FlowState::Open, false), (FlowState::Ended(End::Reset), true)].map(Some);
        assert_eq!(states, expected);
        assert_eq!((flows.len(), flows.iter().map(|l| (l.sent, l.received)).next()), (1, Some((10, 20))));
    }

    #[test]
    fn what_was_refused_stays_refused_when_its_socket_is_closed() {
        let mut flows = Flows::default();
        flows.apply(&event(1, connect(1, Attempt::Failed(111))), |_| ());
        flows.apply(&event(2, close(1, End::Finished)), |_| ());
        assert_eq!(flows.iter().next().map(|l| l.state), Some(FlowState::Failed(111)));
    }

    #[test]
    fn what_has_ended_is_let_go_first_and_counted() {
        let mut flows = Flows::default();
        for i in 0..MAX_FLOWS as u64 {
            flows.apply(&event(i, connect(i, Attempt::Established)), |_| ());
        }
        flows.apply(&event(1_000_000, close(77, End::Finished)), |_| ());
        let is_known = |flows: &Flows, id| flows.get(&FlowKey::Tcp(FlowId(id))).is_some();
        let place = flows.place(&FlowKey::Tcp(FlowId(77))).unwrap();
        let mut changed = Vec::new();
        flows.apply(&event(1_000_001, connect(1 << 40, Attempt::Started)), |place| changed.push(place));
        assert_eq!((flows.len(), flows.let_go()), (MAX_FLOWS, 1));
        assert!(!is_known(&flows, 77) && is_known(&flows, 0) && is_known(&flows, 1));
        assert!(changed.contains(&place), "{changed:?}");
        // What was chosen to go and has changed since stays, and the next goes in its place.
        flows.apply(&event(1_000_002, connect(0, Attempt::Established)), |_| ());
        flows.apply(&event(1_000_003, connect(2 << 40, Attempt::Started)), |_| ());
        assert_eq!((flows.len(), flows.let_go()), (MAX_FLOWS, 2));
        assert!(is_known(&flows, 0) && !is_known(&flows, 1));
    }
}
