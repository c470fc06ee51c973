//! Unix sockets: who connects to which, told once a process and socket, for some processes do nothing else all day.

use lanner_collector_abi::{FileFacts, Header, Key, UnixRecord, kind};

use crate::flow::NOBODY;
use crate::kernel::{Place as _, pid, probe, sock, task_struct, unix_sock};
use crate::news::{is_news, mix};
use crate::record::{Record, Slot, header};
use crate::socket_call::{self as call, Call};
use crate::{files, task};

/// `sockaddr_un.sun_path`: where it begins, and its most bytes.
const NAME_AT: u32 = 2;
const NAME_MAX: u32 = 108;
/// Nobody listens there, as for a daemon of names or logs that is not installed: every second program asks.
const ENOENT: u32 = 2;

/// connect succeeded.
#[inline(always)]
pub fn connected(sk: sock, current: task_struct) {
    let (peer, ends) = (unix_sock::at(sk.address).peer(), Ends { sk, knows: sk });
    let head = header(kind::UNIX_CONNECT, current);
    if !peer.addr().is_null() && is_news(head.process, identity(&peer, &ends)) {
        tell(&peer, &ends, &head, Slot::Hook);
    }
}

/// A stream is about to be connected to one that listens, by whatever way.
#[inline(always)]
pub fn joins(sk: sock, other: sock, current: task_struct) {
    let (peer, ends) = (unix_sock::at(other.address), Ends { sk, knows: other });
    let head = header(kind::UNIX_CONNECT, current);
    if !peer.addr().is_null() && is_news(head.process, identity(&peer, &ends)) {
        write(&peer, &ends, &head, Slot::Function);
    }
}

/// A socket, and the one that knows who listens: itself, or what it is about to be connected to.
#[derive(Clone, Copy)]
pub struct Ends {
    pub sk: sock,
    pub knows: sock,
}

/// A number for a socket that is connected to, most likely another for another socket, also one of the same name that
/// someone else listens on.
#[inline(never)]
pub fn identity(named: &unix_sock, ends: &Ends) -> u64 {
    let listener = ends.knows.peer_pid().numbers().nr();
    let inode = named.path().dentry().inode();
    let mut hash = mix(u64::from(ends.sk.net().inum()), u64::from(listener));
    if inode.is_null() {
        let address = named.addr();
        let (name, len) = (address.name().address, u64::from(address.len()));
        for i in 0..call::NAME_WORDS {
            let at = i * 8;
            if at < len {
                hash = mix(hash, probe(name + at));
            }
        }
    } else {
        hash = mix(mix(hash, inode.ino()), u64::from(inode.generation()) << 32 | u64::from(inode.sb().dev()));
    }
    // Not one of the small numbers that stand for other deeds.
    hash | 1 << 63
}

/// listen succeeded.
#[inline(always)]
pub fn listens(sk: sock, current: task_struct) {
    let own = unix_sock::at(sk.address);
    if !own.addr().is_null() {
        tell(&own, &Ends { sk, knows: sk }, &header(kind::UNIX_LISTEN, current), Slot::Hook);
    }
}

/// connect failed: there is no socket to ask for its name.
#[inline(always)]
pub fn refused(sk: sock, call: &Call, current: task_struct, errno: u32) {
    if errno == ENOENT || !call::is_unix(call) {
        return;
    }
    let head = header(kind::UNIX_CONNECT, current);
    let Some(record) = Record::<UnixRecord>::begin(Slot::Hook) else { return };
    let wanted = call.len.saturating_sub(NAME_AT);
    let len = if wanted > NAME_MAX { NAME_MAX } else { wanted };
    record.tail.push_user(call.address + u64::from(NAME_AT), len);
    if !is_news(head.process, mix(u64::from(errno), call::fingerprint(call)) | 1 << 63) {
        return;
    }
    let to = &mut *record.head;
    to.header = head;
    to.peer = NOBODY;
    to.file = NO_FILE;
    to.name_len = record.tail.used() as u16;
    to.socket_type = sk.socket_type();
    to.errno = errno;
    to.netns = sk.net().inum();
    to.asked = 1;
    to.header.len = size_of::<UnixRecord>() as u32 + record.tail.used();
    record.submit();
}

const NO_FILE: FileFacts = FileFacts { dev: 0, ino: 0, mode: 0, flags: 0, path_len: 0, zero: 0 };

/// Tells of the socket `named`, to which another is connected or which it is. Not for [`Slot::Function`], which takes what
/// older kernels do not know.
#[inline(never)]
pub fn tell(named: &unix_sock, ends: &Ends, head: &Header, slot: Slot) {
    write(named, ends, head, slot);
}

#[inline(always)]
fn write(named: &unix_sock, ends: &Ends, head: &Header, slot: Slot) {
    let Some(record) = Record::<UnixRecord>::begin(slot) else { return };
    let to = &mut *record.head;
    to.header = *head;
    let listens = head.kind == kind::UNIX_LISTEN || head.kind == kind::UNIX_FOUND_LISTEN;
    to.peer = if listens { NOBODY } else { process_of(ends.knows.peer_pid()) };
    to.file = NO_FILE;
    to.socket_type = ends.sk.socket_type();
    to.errno = 0;
    to.netns = ends.sk.net().inum();
    to.asked = 0;
    let path = named.path();
    if path.dentry().is_null() {
        let address = named.addr();
        record.tail.push_kernel(address.name().address + u64::from(NAME_AT), address.len().saturating_sub(NAME_AT));
        to.name_len = record.tail.used() as u16;
    } else {
        to.name_len = 0;
        files::identify(path.dentry().inode(), &mut to.file);
        files::locate(path.dentry().inode(), path, &mut to.file, record.tail);
    }
    to.header.len = size_of::<UnixRecord>() as u32 + record.tail.used();
    record.submit();
}

/// The process that a kernel's `pid` stands for; when it has ended, its number alone.
#[inline(always)]
fn process_of(of: pid) -> Key {
    let link = of.tgid_task().address;
    if of.is_null() || link == 0 {
        return NOBODY;
    }
    let leader = task_struct::at(link.wrapping_sub(task_struct::at(0).tgid_link().address));
    task::key(leader)
}
