//! Flows over time, without a kernel.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;

use lanner_collector_abi::{AF_INET, Header as Head, Key, Plain, kind};
use lanner_core::event::ProcessKey;

use super::*;

const SECOND: u64 = 1_000_000_000;

/// The kernel's map.
#[derive(Debug, Clone, Default)]
struct Kernel(Rc<RefCell<HashMap<UdpKey, UdpCounts>>>);

impl Counters for Kernel {
    fn get(&self, key: &UdpKey) -> Option<UdpCounts> {
        self.0.borrow().get(key).copied()
    }

    fn remove(&mut self, key: &UdpKey) {
        self.0.borrow_mut().remove(key);
    }
}

struct Story {
    kernel: Kernel,
    flows: Flows<Kernel>,
    events: Vec<Event>,
}

fn story(room: u32) -> Story {
    let kernel = Kernel::default();
    let limits = FlowLimits { room, ..FlowLimits::default() };
    Story { flows: Flows::new(kernel.clone(), limits), kernel, events: Vec::new() }
}

fn bytes<R: Plain>(record: &R) -> &[u8] {
    // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<R>()) }
}

fn key(socket: u64, port: u16) -> UdpKey {
    UdpKey { socket, port, family: AF_INET, ..UdpKey::default() }
}

impl Story {
    /// A datagram of one byte leaves, as the kernel counts it.
    fn send(&mut self, time: u64, socket: u64, port: u16) {
        let key = key(socket, port);
        let mut kernel = self.kernel.0.borrow_mut();
        let new = !kernel.contains_key(&key);
        let counts = kernel.entry(key).or_default();
        (counts.sent, counts.sent_bytes, counts.last) = (counts.sent + 1, counts.sent_bytes + 1, time);
        drop(kernel);
        if new {
            let header = Head { kind: kind::UDP, len: size_of::<UdpRecord>() as u32, time, ..Head::default() };
            let record = UdpRecord { header, key, flow: time, datagrams: 1, bytes: 1, ..UdpRecord::default() };
            let event = self.flows.started(&mut Reader(bytes(&record))).expect("it decodes");
            self.events.push(event);
        }
    }

    fn release(&mut self, time: u64, socket: u64) {
        let header = Head { kind: kind::UDP_RELEASED, time, ..Head::default() };
        let record = UdpReleaseRecord { header, socket };
        let told = self.flows.released(&mut Reader(bytes(&record)), &mut self.events);
        assert_eq!(told, Some((socket, (BootTime(time), 0))));
    }

    fn look(&mut self, time: u64) {
        self.flows.look(BootTime(time), &mut self.events);
    }

    /// What was told since the last time: when, to which port, what, and how many were sent.
    fn told(&mut self) -> Vec<(u64, u16, UdpStage, u64)> {
        let told = |e: Event| {
            let Payload::Udp(udp) = e.payload else { panic!("a flow") };
            (e.header.time.0, udp.flow.remote.port(), udp.stage, udp.sent.datagrams)
        };
        self.events.drain(..).map(told).collect()
    }

    fn is_empty(&self) -> bool {
        let Flows { known, sockets, due, .. } = &self.flows;
        known.is_empty() && sockets.is_empty() && due.is_empty() && self.kernel.0.borrow().is_empty()
    }
}

#[test]
fn a_flow_is_told_of_when_it_goes_on_and_not_when_it_does_not() {
    let mut story = story(100);
    story.send(SECOND, 1, 53);
    story.send(2 * SECOND, 1, 53);
    story.look(10 * SECOND);
    assert_eq!(story.told(), [(SECOND, 53, UdpStage::Started, 1)]);
    story.look(11 * SECOND);
    assert_eq!(story.told(), [(11 * SECOND, 53, UdpStage::Continues, 2)]);
    story.look(21 * SECOND);
    assert_eq!(story.told(), []);
    // Sixty seconds after the last datagram, at the next look.
    for time in 22..=71 {
        story.look(time * SECOND);
    }
    assert_eq!(story.told(), [(71 * SECOND, 53, UdpStage::Silent, 2)]);
    assert!(story.is_empty());
}

#[test]
fn a_sockets_end_is_that_of_its_flows_alone() {
    let mut story = story(100);
    for (socket, port) in [(1, 10), (2, 20), (1, 30)] {
        story.send(SECOND + u64::from(port), socket, port);
    }
    story.told();
    story.release(5 * SECOND, 1);
    assert_eq!(story.told(), [(5 * SECOND, 10, UdpStage::Closed, 1), (5 * SECOND, 30, UdpStage::Closed, 1)]);
    story.release(6 * SECOND, 3);
    assert_eq!(story.told(), []);
    story.release(7 * SECOND, 2);
    assert_eq!(story.told(), [(7 * SECOND, 20, UdpStage::Closed, 1)]);
    assert!(story.is_empty());
}

#[test]
fn when_room_runs_out_those_that_are_silent_go_first() {
    let mut story = story(8);
    for port in 1..=6 {
        story.send(SECOND + u64::from(port), 1, port);
    }
    story.send(2 * SECOND, 1, 3);
    story.told();
    story.look(2 * SECOND + SECOND / 2);
    // One went, and there is room enough for the others to stay.
    assert_eq!(story.told(), [(2 * SECOND + SECOND / 2, 1, UdpStage::Silent, 1)]);
    story.send(3 * SECOND, 1, 3);
    story.send(3 * SECOND, 1, 9);
    story.send(3 * SECOND + 1, 1, 10);
    story.told();
    story.look(3 * SECOND + SECOND / 2);
    let gone: Vec<u16> = story.told().iter().filter(|t| t.2 == UdpStage::Silent).map(|t| t.1).collect();
    assert_eq!(gone, [2, 4], "the third has just been used");
}

#[test]
fn who_sends_later_owns_what_nobody_was_known_to_own() {
    let mut story = story(8);
    story.send(SECOND, 1, 53);
    assert!(story.events[0].header.process.is_unknown());
    let owner = Key { pid: 3, zero: 0, start: 4 };
    story.kernel.0.borrow_mut().get_mut(&key(1, 53)).expect("counted").owner = owner;
    story.release(2 * SECOND, 1);
    assert_eq!(story.events[1].header.process, ProcessKey::new(3, 4));
}

#[test]
fn at_the_end_what_was_not_told_yet_is() {
    let mut story = story(8);
    story.send(SECOND, 1, 10);
    story.send(SECOND + 1, 1, 20);
    story.send(2 * SECOND, 1, 20);
    story.told();
    story.flows.finish(BootTime(3 * SECOND), &mut story.events);
    assert_eq!(story.told(), [(3 * SECOND, 20, UdpStage::Continues, 2),]);
}
