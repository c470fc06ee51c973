//! Unix sockets: who connects to which, told once a process and socket, for some processes do nothing else all day.

use lanner_collector_abi::{FileFacts, Header, Key, UnixRecord, kind};

use crate::flow::NOBODY;
use crate::kernel::{Place as _, pid, sock, task_struct, unix_sock};
use crate::news::is_news;
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
    let head = header(kind::UNIX_CONNECT, current);
    let peer = unix_sock::at(sk.address).peer();
    if !peer.addr().is_null() && is_news(head.process, peer.addr().address) {
        tell(&peer, &sk, &head, Slot::Hook);
    }
}

/// listen succeeded.
#[inline(always)]
pub fn listens(sk: sock, current: task_struct) {
    let own = unix_sock::at(sk.address);
    if !own.addr().is_null() {
        tell(&own, &sk, &header(kind::UNIX_LISTEN, current), Slot::Hook);
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
    // Errors are small: no address in the kernel looks like this.
    if !is_news(head.process, u64::from(errno) << 32 | u64::from(call::fingerprint(call))) {
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

/// Tells of the socket `named`, to which `sk` is connected or which it is.
#[inline(never)]
pub fn tell(named: &unix_sock, sk: &sock, head: &Header, slot: Slot) {
    let Some(record) = Record::<UnixRecord>::begin(slot) else { return };
    let to = &mut *record.head;
    to.header = *head;
    let listens = head.kind == kind::UNIX_LISTEN || head.kind == kind::UNIX_FOUND_LISTEN;
    to.peer = if listens { NOBODY } else { process_of(sk.peer_pid()) };
    to.file = NO_FILE;
    to.socket_type = sk.socket_type();
    to.errno = 0;
    to.netns = sk.net().inum();
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
