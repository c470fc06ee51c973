//! Peers, datagrams and names.

use std::net::SocketAddr;

use lanner_core::event::{Attempt, Connect, Datagrams, Dns, DnsReply, Flow, ResponseCode, Udp, UdpStage};
use lanner_core::graph::Graph;

use super::text::{bytes, shown};
use super::{errno_words, when};

/// Longer than any name; a hostile one may grow by escaping.
const NAME: usize = 300;
/// Addresses and names of an answer that are spelled out.
const ANSWERS: usize = 4;

/// The other end of a flow, with its name when the node was told one: `10.9.0.2:443 (c2.example)`.
pub(super) fn peer(flow: &Flow, graph: &Graph) -> String {
    address(flow.remote, flow.netns, graph)
}

/// As [`peer`], for an address of a network namespace.
pub(crate) fn address(address: SocketAddr, netns: u32, graph: &Graph) -> String {
    match graph.name_of(netns, address.ip()) {
        Some(naming) => format!("{address} ({})", shown(&naming.name, NAME)),
        None => address.to_string(),
    }
}

pub(super) fn connect(connect: &Connect, graph: &Graph) -> String {
    let peer = peer(&connect.flow, graph);
    match connect.attempt {
        Attempt::Failed(errno) if connect.asked => format!("could not even try {peer}: {}", errno_words(errno)),
        Attempt::Started => format!("connects to {peer}"),
        Attempt::Established => format!("connected to {peer}"),
        Attempt::Failed(errno) => format!("could not connect to {peer}: {}", errno_words(errno)),
    }
}

pub(super) fn udp(udp: &Udp, graph: &Graph) -> String {
    let peer = peer(&udp.flow, graph);
    let verb = match (udp.stage, udp.outgoing) {
        (UdpStage::Started, true) => return format!("sends datagrams to {peer}"),
        (UdpStage::Started, false) => return format!("gets datagrams from {peer}"),
        (UdpStage::Continues, _) => "goes on with",
        (UdpStage::Silent, _) => "hears and says no more,",
        (UdpStage::Closed, _) => "ended with",
    };
    format!(
        "{verb} {peer}, sent {}, received {} in {}",
        datagrams(udp.sent),
        datagrams(udp.received),
        when::short(udp.lasted)
    )
}

fn datagrams(of: Datagrams) -> String {
    format!("{} in {}", bytes(of.bytes), of.datagrams)
}

pub(super) fn dns(dns: &Dns) -> String {
    let question = format!("{} of {}", dns.record_type.name(), shown(&dns.name, NAME));
    let server = dns.flow.remote;
    let waited = dns.waited.map(|waited| format!(" in {}", when::short(waited))).unwrap_or_default();
    match &dns.reply {
        None => format!("asked {server} for {question}: no answer{waited}"),
        Some(reply) if dns.waited.is_none() => format!("was told by {server}, unasked, {question}: {}", answer(reply)),
        Some(reply) => format!("asked {server} for {question}: {}{waited}", answer(reply)),
    }
}

fn answer(reply: &DnsReply) -> String {
    if reply.rcode != ResponseCode::NOERROR {
        return reply.rcode.name().into_owned();
    }
    let addresses = reply.addresses.iter().map(ToString::to_string);
    let names = reply.names.iter().map(|name| shown(name, NAME));
    let mut all: Vec<String> = addresses.chain(names).take(ANSWERS + 1).collect();
    if all.len() > ANSWERS {
        all[ANSWERS] = "…".to_owned();
    }
    match (all.is_empty(), reply.records) {
        (false, _) => all.join(", "),
        (true, 0) => "nothing".to_owned(),
        (true, 1) => "1 record".to_owned(),
        (true, records) => format!("{records} records"),
    }
}
