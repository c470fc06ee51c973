//! Packets at the edge of a control group: where a socket hands them to the network, or takes them from it. The program
//! sees them from the network header on.

use aya_ebpf::bindings::bpf_sock;
use aya_ebpf::helpers::generated;
use aya_ebpf::programs::SkBuffContext;
use lanner_collector_abi::{AF_INET, AF_INET6};

const ETH_P_IP: u16 = 0x0800;
const ETH_P_IPV6: u16 = 0x86dd;
/// IPv6 extension headers that may stand before the payload: hop-by-hop options, routing, destination options.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION: u8 = 60;
/// More of them are nobody's.
const MAX_EXTENSIONS: u32 = 4;

/// A packet's two ends, and where its transport header begins.
#[derive(Clone, Copy)]
pub struct Packet {
    pub source: [u8; 16],
    pub destination: [u8; 16],
    pub family: u16,
    pub protocol: u8,
    /// Of the transport header.
    pub offset: u32,
}

#[repr(C)]
struct Ipv4 {
    version_and_length: u8,
    tos: u8,
    len: u16,
    id: u16,
    fragment: u16,
    ttl: u8,
    protocol: u8,
    check: u16,
    source: [u8; 4],
    destination: [u8; 4],
}

#[repr(C)]
struct Ipv6 {
    version: u32,
    len: u16,
    next: u8,
    hops: u8,
    source: [u8; 16],
    destination: [u8; 16],
}

/// The socket that a packet belongs to, if it is more than a header of one.
#[inline(always)]
pub fn socket(ctx: &SkBuffContext) -> Option<&'static bpf_sock> {
    // SAFETY: the verifier knows the context's layout; reading this field gives a socket or null.
    let sk = unsafe { (*ctx.skb.skb).__bindgen_anon_2.sk };
    if sk.is_null() {
        return None;
    }
    // SAFETY: a socket that is not null; the helper gives it back, or null.
    unsafe { generated::bpf_sk_fullsock(sk).as_ref() }
}

/// Reads the network header; `None` for what is neither IPv4 nor IPv6.
#[inline(always)]
pub fn parse(ctx: &SkBuffContext) -> Option<Packet> {
    // SAFETY: the verifier knows the context's layout.
    let protocol = unsafe { (*ctx.skb.skb).protocol } as u16;
    let (mut source, mut destination) = ([0; 16], [0; 16]);
    if protocol == ETH_P_IP.to_be() {
        let header: Ipv4 = ctx.load(0).ok()?;
        source[..4].copy_from_slice(&header.source);
        destination[..4].copy_from_slice(&header.destination);
        let offset = u32::from(header.version_and_length & 0xf) * 4;
        return Some(Packet { source, destination, family: AF_INET, protocol: header.protocol, offset });
    }
    if protocol != ETH_P_IPV6.to_be() {
        return None;
    }
    let header: Ipv6 = ctx.load(0).ok()?;
    let (mut next, mut offset) = (header.next, size_of::<Ipv6>() as u32);
    for _ in 0..MAX_EXTENSIONS {
        if !matches!(next, HOP_BY_HOP | ROUTING | DESTINATION) {
            break;
        }
        let extension: [u8; 2] = ctx.load(offset as usize).ok()?;
        next = extension[0];
        offset += (u32::from(extension[1]) + 1) * 8;
    }
    Some(Packet { source: header.source, destination: header.destination, family: AF_INET6, protocol: next, offset })
}
