//! Sockets of kinds worth knowing, and addresses given to sockets.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::macros::{map, tracepoint};
use aya_ebpf::maps::HashMap;
use aya_ebpf::programs::TracePointContext;
use lanner_collector_abi::{AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, BindRecord, Drop, SocketRecord, kind};

use crate::compat;
use crate::flow::{address6, local_port};
use crate::kernel::{Place as _, io_socket, packet_sock, sock, task_struct};
use crate::news::is_news;
use crate::open::SYS_EXIT_RET;
use crate::record::header;
use crate::ring;
use crate::socket_call as call;

/// `SOCK_*` flags (close on exec, do not block) lie above the type.
const TYPE_MASK: u32 = 0xf;
const SOCK_RAW: u32 = 3;
/// The old way to a packet socket, by the internet family.
const SOCK_PACKET: u32 = 10;
/// Where the kernel's own choice of ports begins by default: a process's binds to those count as one.
const EPHEMERAL: u16 = 32768;

/// What a thread that is inside of socket asked for.
#[repr(C)]
#[derive(Clone, Copy)]
struct Asked {
    family: u32,
    socket_type: u32,
    protocol: u32,
}

#[map]
static ASKED: HashMap<u64, Asked> = HashMap::with_max_entries(1024, 0);

/// The entry of socket. What most programs use every day goes no further: TCP, UDP, unix and netlink sockets.
#[tracepoint]
pub fn socket_enter(ctx: TracePointContext) -> u32 {
    let [family, kind, protocol] = compat::of_socket(&ctx).map(|argument| argument as u32);
    let socket_type = kind & TYPE_MASK;
    if is_everyday(family, socket_type) {
        return 0;
    }
    if ASKED.insert(bpf_get_current_pid_tgid(), Asked { family, socket_type, protocol }, 0).is_err() {
        ring::count_drop(Drop::MapFull);
    }
    0
}

/// The exit of socket.
#[tracepoint]
pub fn socket_exit(ctx: TracePointContext) -> u32 {
    let thread = bpf_get_current_pid_tgid();
    let Some(asked) = ASKED.get_ptr(thread) else { return 0 };
    // SAFETY: the map's own element; no other thread has this key.
    let asked = unsafe { *asked };
    // It was there a moment ago.
    let _ = ASKED.remove(thread);
    // SAFETY: within the tracepoint's arguments.
    let result: i64 = unsafe { ctx.read_at(SYS_EXIT_RET) }.unwrap_or(0);
    tell(task_struct::current(), asked, result as i32);
    0
}

#[inline(always)]
fn is_everyday(family: u32, socket_type: u32) -> bool {
    match family as u16 {
        AF_UNIX | AF_NETLINK => true,
        AF_INET | AF_INET6 => socket_type != SOCK_RAW && socket_type != SOCK_PACKET,
        _ => false,
    }
}

#[inline(always)]
fn tell(current: task_struct, asked: Asked, result: i32) {
    let mut record = SocketRecord {
        header: header(kind::SOCKET, current),
        family: asked.family,
        socket_type: asked.socket_type,
        protocol: asked.protocol,
        result,
    };
    record.header.len = size_of::<SocketRecord>() as u32;
    ring::output_small(&mut record);
}

/// A ring was asked for a socket.
#[inline(always)]
pub fn by_ring(current: task_struct, made: io_socket, result: i32) {
    let asked = Asked { family: made.domain(), socket_type: made.kind() & TYPE_MASK, protocol: made.protocol() };
    if !is_everyday(asked.family, asked.socket_type) {
        tell(current, asked, result);
    }
}

/// The exit of bind.
#[tracepoint]
pub fn bind(ctx: TracePointContext) -> u32 {
    let Some(call) = call::take() else { return 0 };
    // SAFETY: within the tracepoint's arguments.
    if unsafe { ctx.read_at::<i64>(SYS_EXIT_RET) }.unwrap_or(-1) != 0 {
        return 0;
    }
    let current = task_struct::current();
    bound(call::socket(&call, current), current);
    0
}

/// A socket got an address.
#[inline(always)]
pub fn bound(sk: sock, current: task_struct) {
    let mut record = BindRecord { header: header(kind::BIND, current), ..BindRecord::default() };
    record.header.len = size_of::<BindRecord>() as u32;
    record.family = sk.family();
    record.socket_type = sk.socket_type();
    record.netns = sk.net().inum();
    match record.family {
        AF_INET => record.local[..4].copy_from_slice(&sk.local4().to_ne_bytes()),
        AF_INET6 => address6(sk.local6().address, &mut record.local),
        AF_PACKET => {
            let packet = packet_sock::at(sk.address);
            record.interface = packet.interface();
            record.port = u16::from_be(packet.protocol());
        }
        _ => return,
    }
    if record.family != AF_PACKET {
        record.protocol = sk.protocol();
        record.port = local_port(sk);
    }
    if !is_told_already(&record) {
        ring::output_small(&mut record);
    }
}

/// A resolver binds a port for each of its questions: once is enough.
#[inline(always)]
fn is_told_already(record: &BindRecord) -> bool {
    let port = if record.port >= EPHEMERAL { 0 } else { record.port };
    // Below the numbers of unix sockets.
    let what = u64::from(record.interface & 0xffff) << 40
        | u64::from(record.family & 0xff) << 24
        | u64::from(record.protocol & 0xff) << 16
        | u64::from(port);
    !is_news(record.header.process, what)
}
