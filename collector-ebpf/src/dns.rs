//! Messages between processes of this node and name servers, as they are on the wire: who reads the ring reads them. Only
//! the side that asks is looked at: a server's own answers go to sockets whose peer has another port.

use core::ptr;

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::{BPF_RB_NO_WAKEUP, bpf_sock};
use aya_ebpf::helpers::{bpf_get_socket_cookie, generated};
use aya_ebpf::programs::SkBuffContext;
use lanner_collector_abi::{DNS_PAYLOAD, DnsRecord, Drop, Header, Key, UdpKey, kind};

use crate::flow;
use crate::kernel::{Place as _, launder, sock, task_struct};
use crate::packet::{self, Packet};
use crate::record::{header, header_of};
use crate::ring;

/// The port of name servers.
pub const PORT: u16 = 53;
/// `sizeof(struct udphdr)`.
const UDP_HEADER: u32 = 8;
/// Where a TCP header says how long it is: in the upper half, in words.
const TCP_LENGTH_AT: u32 = 12;

/// Where a message is, and whose.
struct Message {
    offset: u32,
    flow: u64,
    tcp: u8,
    sent: bool,
}

/// A datagram of a flow.
#[inline(always)]
pub fn datagram(ctx: &SkBuffContext, sk: &bpf_sock, packet: &Packet, key: &UdpKey, flow: u64, owner: Key, sent: bool) {
    let head = if sent { header(kind::DNS, task_struct::current()) } else { header_of(kind::DNS, owner) };
    let message = Message { offset: packet.offset + UDP_HEADER, flow, tcp: 0, sent };
    tell(ctx, sk, packet, key, head, &message);
}

/// A segment of a TCP connection to a name server.
#[inline(always)]
pub fn segment(ctx: &SkBuffContext, sk: &bpf_sock, sent: bool) {
    let Some(packet) = packet::parse(ctx) else { return };
    let Ok(length) = ctx.load::<u8>((packet.offset + TCP_LENGTH_AT) as usize) else { return };
    let offset = packet.offset + u32::from(length >> 4) * 4;
    if ctx.len() <= offset {
        return;
    }
    // Segments leave in interrupts too: whose connection it is was noted when it began.
    let (flow, owner) = flow::known(launder(ptr::from_ref(sk) as u64));
    // SAFETY: the context is a packet of a full socket.
    let socket = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let remote = if sent { packet.destination } else { packet.source };
    let key = UdpKey { socket, remote, port: PORT, family: packet.family, zero: 0 };
    let message = Message { offset, flow, tcp: 1, sent };
    tell(ctx, sk, &packet, &key, header_of(kind::DNS, owner), &message);
}

#[inline(always)]
fn tell(ctx: &SkBuffContext, sk: &bpf_sock, packet: &Packet, key: &UdpKey, head: Header, message: &Message) {
    let whole = ctx.len().saturating_sub(message.offset);
    // SAFETY: the map itself, and a size known beforehand.
    let room = unsafe { generated::bpf_ringbuf_reserve(ring::events(), size_of::<DnsRecord>() as u64, 0) };
    let record = room.cast::<DnsRecord>();
    if record.is_null() {
        ring::count_drop(Drop::RingFull);
        return;
    }
    // SAFETY: the room is the record's size; every field is written, and of the payload what is taken.
    unsafe {
        (&raw mut (*record).header).write(Header { len: size_of::<DnsRecord>() as u32, ..head });
        (*record).socket = key.socket;
        (*record).flow = message.flow;
        (&raw mut (*record).local).write(if message.sent { packet.source } else { packet.destination });
        (&raw mut (*record).remote).write(key.remote);
        (*record).local_port = sk.src_port as u16;
        (*record).remote_port = key.port;
        (*record).family = key.family;
        (*record).taken = 0;
        (*record).whole = whole;
        (*record).netns = sock::at(launder(ptr::from_ref(sk) as u64)).net().inum();
        (*record).sent = u8::from(message.sent);
        (*record).tcp = message.tcp;
        (&raw mut (*record).zero).write([0; 6]);
        if whole > 0 {
            let (taken, to) = (within_payload(whole), (&raw mut (*record).payload).cast());
            if generated::bpf_skb_load_bytes(ctx.as_ptr(), message.offset, to, taken) == 0 {
                (*record).taken = taken as u16;
            }
        }
        generated::bpf_ringbuf_submit(room, u64::from(BPF_RB_NO_WAKEUP));
    }
}

/// At least 1 and at most the payload's room, in a way that the compiler cannot take for another: the verifier must see
/// both bounds, and those before Linux 6.8 learn nothing of a comparison for equality.
#[inline(always)]
fn within_payload(n: u32) -> u32 {
    let mut bounded = u64::from(n);
    // SAFETY: four instructions on one register.
    unsafe {
        core::arch::asm!(
            "if {n} > 0 goto +1",
            "{n} = 1",
            "if {n} < {max} goto +1",
            "{n} = {max}",
            n = inout(reg) bounded,
            max = const DNS_PAYLOAD,
            options(pure, nomem, nostack)
        );
    }
    bounded as u32
}
