//! UDP flows: datagrams are counted by socket and peer where they leave and reach sockets; the first of a flow is told,
//! and so is the end of a socket that had flows. Whoever reads the counts takes them out again.
//!
//! Datagrams leave in the context of who sends them, but reach a socket in an interrupt: a socket's owner is remembered.

use aya_ebpf::EbpfContext as _;
use aya_ebpf::bindings::bpf_sock;
use aya_ebpf::helpers::{bpf_get_socket_cookie, bpf_ktime_get_boot_ns};
use aya_ebpf::macros::{cgroup_skb, cgroup_sock, cgroup_sock_addr, map};
use aya_ebpf::maps::{HashMap, LruHashMap};
use aya_ebpf::programs::{SkBuffContext, SockAddrContext, SockContext};
use lanner_collector_abi::{
    AF_INET, Drop, Header, Key, UDP_FLOWS, UdpCounts, UdpKey, UdpRecord, UdpReleaseRecord, kind,
};

use crate::dns;
use crate::kernel::{Place as _, launder, sock, task_struct};
use crate::packet::{self, Packet};
use crate::record::{header, header_of};
use crate::ring;
use crate::task;

const SOCK_DGRAM: u32 = 2;
const IPPROTO_TCP: u32 = 6;
const IPPROTO_UDP: u32 = 17;
/// `bpf_sock.state`: for UDP, connected.
const ESTABLISHED: u32 = 1;
/// `BPF_NOEXIST`.
const ONLY_NEW: u64 = 1;
/// What a program returns to let things take their course.
const GO_ON: i32 = 1;

/// Who uses a socket.
#[repr(C)]
#[derive(Clone, Copy)]
struct Owner {
    process: Key,
    tid: u32,
    /// 1 when it has flows.
    used: u32,
}

/// By [`UdpKey`]. The reader takes out what has ended.
#[map]
static UDP_COUNTS: HashMap<UdpKey, UdpCounts> = HashMap::with_max_entries(UDP_FLOWS, 0);

/// By the socket's address, from its making to its end.
#[map]
static UDP_OWNERS: LruHashMap<u64, Owner> = LruHashMap::with_max_entries(UDP_FLOWS, 0);

/// A packet leaves a socket.
#[cgroup_skb(egress)]
pub fn packet_out(ctx: SkBuffContext) -> i32 {
    pass(&ctx, true);
    GO_ON
}

/// A packet reaches a socket.
#[cgroup_skb(ingress)]
pub fn packet_in(ctx: SkBuffContext) -> i32 {
    pass(&ctx, false);
    GO_ON
}

#[inline(always)]
fn pass(ctx: &SkBuffContext, sent: bool) {
    let Some(sk) = packet::socket(ctx) else { return };
    match sk.protocol {
        IPPROTO_UDP => datagram(ctx, sk, sent),
        IPPROTO_TCP if sk.dst_port == dns::PORT.to_be() => dns::segment(ctx, sk, sent),
        _ => {}
    }
}

#[inline(always)]
fn datagram(ctx: &SkBuffContext, sk: &bpf_sock, sent: bool) {
    // Raw sockets may have this protocol too.
    if sk.type_ != SOCK_DGRAM {
        return;
    }
    let Some(packet) = packet::parse(ctx) else { return };
    if u32::from(packet.protocol) != IPPROTO_UDP {
        return;
    }
    // Ports of both ends, length, checksum.
    let Ok(udp) = ctx.load::<[u16; 4]>(packet.offset as usize) else { return };
    let bytes = u64::from(u16::from_be(udp[2])).saturating_sub(8);
    // SAFETY: the context is a packet of a full socket.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let (remote, port) = if sent { (packet.destination, udp[1]) } else { (packet.source, udp[0]) };
    let mut key = UdpKey { socket: cookie, remote, port: u16::from_be(port), family: packet.family, zero: 0 };
    if sent && sk.state == ESTABLISHED {
        // As the process named it: what leaves may have been translated for the network already.
        as_connected(&mut key, sk);
    }
    // One that the card or the stack cuts into several, or has put together from several, counts as those.
    // SAFETY: the verifier knows the context's layout.
    let datagrams = match unsafe { (*ctx.skb.skb).gso_segs } {
        0 => 1,
        segments => u64::from(segments),
    };
    let counts = match UDP_COUNTS.get_ptr_mut(key) {
        Some(counts) => counts,
        None => match begin(sk, &packet, &key, sent, (datagrams, bytes)) {
            Some(counts) => counts,
            None => return,
        },
    };
    // SAFETY: the map's own element, and a helper without arguments.
    unsafe {
        if sent && (*counts).owner.pid == 0 {
            (*counts).owner = task::key(task_struct::current());
        }
        (*counts).last = bpf_ktime_get_boot_ns();
        if sent {
            add(&raw mut (*counts).sent, datagrams);
            add(&raw mut (*counts).sent_bytes, bytes);
        } else {
            add(&raw mut (*counts).received, datagrams);
            add(&raw mut (*counts).received_bytes, bytes);
        }
    }
    if key.port == dns::PORT {
        // SAFETY: the map's own element.
        let (flow, owner) = unsafe { ((*counts).flow, (*counts).owner) };
        dns::datagram(ctx, sk, &packet, &key, flow, owner, sent);
    }
}

/// Adds to a counter that other processors add to as well.
///
/// # Safety
/// `counter` points into a map's element.
#[inline(always)]
unsafe fn add(counter: *mut u64, n: u64) {
    // SAFETY: the caller's promise. The result is not used, for only then does the oldest instruction set have it.
    unsafe { core::arch::asm!("lock *(u64 *)({c} + 0) += {n}", c = in(reg) counter, n = in(reg) n) };
}

#[inline(always)]
fn as_connected(key: &mut UdpKey, sk: &bpf_sock) {
    key.port = u16::from_be(sk.dst_port);
    if key.family == AF_INET {
        key.remote[..4].copy_from_slice(&sk.dst_ip4.to_ne_bytes());
    } else {
        for (i, word) in [sk.dst_ip6[0], sk.dst_ip6[1], sk.dst_ip6[2], sk.dst_ip6[3]].into_iter().enumerate() {
            key.remote[i * 4..i * 4 + 4].copy_from_slice(&word.to_ne_bytes());
        }
    }
}

/// Begins a flow with its first datagram.
#[inline(always)]
fn begin(sk: &bpf_sock, packet: &Packet, key: &UdpKey, sent: bool, first: (u64, u64)) -> Option<*mut UdpCounts> {
    let address = launder(core::ptr::from_ref(sk) as u64);
    let head = who(address, sent);
    // Two flows first seen in the same nanosecond are on two CPUs, whose numbers go where the time has zeros.
    let flow = head.time ^ (u64::from(head.cpu) << 52);
    let counts = UdpCounts { owner: head.process, flow, last: head.time, ..UdpCounts::default() };
    if UDP_COUNTS.insert(key, counts, ONLY_NEW).is_err() {
        // Another CPU was faster, or there is no room.
        let known = UDP_COUNTS.get_ptr_mut(key);
        if known.is_none() {
            ring::count_drop(Drop::MapFull);
        }
        return known;
    }
    let mut record = UdpRecord { header: head, key: *key, flow, ..UdpRecord::default() };
    record.header.len = size_of::<UdpRecord>() as u32;
    record.local = if sent { packet.source } else { packet.destination };
    record.local_port = sk.src_port as u16;
    record.incoming = u8::from(!sent);
    record.connected = u8::from(sk.state == ESTABLISHED);
    record.netns = sock::at(address).net().inum();
    (record.datagrams, record.bytes) = (first.0 as u32, first.1 as u32);
    if !ring::output_small(&mut record) {
        // Nobody knows of it: the next datagram tries again.
        let _ = UDP_COUNTS.remove(key);
        return None;
    }
    UDP_COUNTS.get_ptr_mut(key)
}

/// A header with the process that sends, or that is known to own the socket that receives.
#[inline(always)]
fn who(socket: u64, sent: bool) -> Header {
    let known = UDP_OWNERS.get_ptr_mut(socket);
    if sent {
        let head = header(kind::UDP, task_struct::current());
        own(socket, known, Owner { process: head.process, tid: head.tid, used: 1 });
        return head;
    }
    match known {
        // SAFETY: the map's own element.
        Some(owner) => unsafe {
            (*owner).used = 1;
            Header { tid: (*owner).tid, ..header_of(kind::UDP, (*owner).process) }
        },
        None => header_of(kind::UDP, Key::default()),
    }
}

#[inline(always)]
fn own(socket: u64, known: Option<*mut Owner>, owner: Owner) {
    match known {
        // SAFETY: the map's own element; of two processes that use one socket at once either may be told.
        Some(known) => unsafe { *known = owner },
        // A least-recently-used map makes room for itself: what is forgotten is whose a silent socket was.
        None => {
            let _ = UDP_OWNERS.insert(socket, owner, 0);
        }
    }
}

/// A socket is made.
#[cgroup_sock(sock_create)]
pub fn udp_create(ctx: SockContext) -> i32 {
    if let Some(address) = udp_socket(&ctx) {
        let current = task_struct::current();
        own(address, None, Owner { process: task::key(current), tid: current.pid(), used: 0 });
    }
    GO_ON
}

/// A socket is closed for good.
#[cgroup_sock(sock_release)]
pub fn udp_release(ctx: SockContext) -> i32 {
    let Some(address) = udp_socket(&ctx) else { return GO_ON };
    let unused = UDP_OWNERS.get_ptr(address).is_some_and(|owner| {
        // SAFETY: the map's own element.
        unsafe { (*owner).used == 0 }
    });
    let _ = UDP_OWNERS.remove(address);
    if unused {
        return GO_ON;
    }
    // SAFETY: the context is a socket.
    let socket = unsafe { bpf_get_socket_cookie(ctx.as_ptr()) };
    let mut record = UdpReleaseRecord { header: header(kind::UDP_RELEASED, task_struct::current()), socket };
    record.header.len = size_of::<UdpReleaseRecord>() as u32;
    ring::output_small(&mut record);
    GO_ON
}

/// The address of a UDP socket.
#[inline(always)]
fn udp_socket(ctx: &SockContext) -> Option<u64> {
    // SAFETY: the verifier knows the context's layout.
    let (protocol, kind) = unsafe { ((*ctx.sock).protocol, (*ctx.sock).type_) };
    (protocol == IPPROTO_UDP && kind == SOCK_DGRAM).then(|| launder(ctx.sock as u64))
}

/// A datagram is read, and its sender asked for: by IPv4.
#[cgroup_sock_addr(recvmsg4)]
pub fn udp_recv4(ctx: SockAddrContext) -> i32 {
    read(&ctx);
    GO_ON
}

/// As [`udp_recv4`], by IPv6.
#[cgroup_sock_addr(recvmsg6)]
pub fn udp_recv6(ctx: SockAddrContext) -> i32 {
    read(&ctx);
    GO_ON
}

/// Sockets are inherited and handed over: the one who reads is the owner.
#[inline(always)]
fn read(ctx: &SockAddrContext) {
    // SAFETY: the verifier knows the context's layout.
    let sk = unsafe { (*ctx.sock_addr).__bindgen_anon_1.sk };
    let address = launder(sk as u64);
    let known = UDP_OWNERS.get_ptr_mut(address);
    let current = task_struct::current();
    let used = match known {
        // SAFETY: the map's own element.
        Some(owner) => unsafe {
            if (*owner).process.pid == current.tgid() {
                return;
            }
            (*owner).used
        },
        None => 1,
    };
    own(address, known, Owner { process: task::key(current), tid: current.pid(), used });
}
