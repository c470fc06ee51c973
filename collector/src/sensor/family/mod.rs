//! The families of events: where each listens in the kernel (`HOOKS`) and how its records become events. A new family is
//! a file here, a line in [`HOOKS`] and one in [`payload`].
//!
//! A record that does not decode is counted, never a panic: it may come from an object of another version.

mod attributes;
mod bpf;
mod calls;
mod comm;
mod compat;
mod credentials;
mod dns;
mod io_uring;
mod kernel;
mod link;
mod make;
mod memfd;
mod mount;
mod namespace;
mod narrow;
mod network;
mod open;
mod process;
mod rename;
mod seal;
mod signal;
mod socket;
mod stdio;
mod tcp;
mod trace;
mod udp;
mod unix;
mod unlink;

use lanner_collector_abi::{Header, kind};
use lanner_core::event::{Event, Origin, Payload};

use super::hooks::Spec;
use super::record::{Reader, live};

pub(super) use compat::{EVERY_CALL, HOOK as COMPAT};
pub(super) use narrow::stands as narrow_stands;
pub(super) use network::Network;
pub(super) use process::{Found, found};

/// The iterator's program.
pub(super) const ALIVE: &str = "alive";
/// The program that tells of new processes.
pub(super) const FORK: &str = "fork";

/// The iterator that finds sockets which are older than the sensor. What it finds it sends through the ring.
pub(super) const SOCKETS: &str = "sockets";
/// The iterator that tells how far connections have got, and the map that it goes through.
pub(super) const TRAFFIC: &str = "traffic";
pub(super) const FLOWS: &str = "FLOWS";

/// What the full layer's hooks on calls that take names add to those of the base layer.
const EXACTLY: &str = "certainty about names: those that another thread changes under the call, or that lead through long links, \
                       are told as they were called";

/// In the order in which they are attached: births and deaths first, what already runs last.
pub(super) const HOOKS: &[&[Spec]] = &[
    process::HOOKS,
    open::HOOKS,
    memfd::HOOKS,
    rename::HOOKS,
    link::HOOKS,
    unlink::HOOKS,
    make::HOOKS,
    attributes::HOOKS,
    tcp::HOOKS,
    socket::HOOKS,
    unix::HOOKS,
    udp::HOOKS,
    namespace::HOOKS,
    credentials::HOOKS,
    mount::HOOKS,
    trace::HOOKS,
    signal::HOOKS,
    stdio::HOOKS,
    kernel::HOOKS,
    bpf::HOOKS,
    comm::HOOKS,
    seal::HOOKS,
    io_uring::HOOKS,
    process::ITERATOR,
    tcp::ITERATORS,
];

/// Appends the events that a record of the ring tells of: one, but for what is put together from several records or tells
/// of several things. `None`: it does not decode.
pub(super) fn read(record: &[u8], network: &mut Network, out: &mut Vec<Event>) -> Option<()> {
    let header = Reader(record).fixed::<Header>()?;
    if let kind::UDP | kind::UDP_RELEASED | kind::DNS = header.kind {
        return network.read(header.kind, &mut Reader(record.get(..header.len as usize)?), out);
    }
    out.push(event(record)?);
    Some(())
}

/// The event that a record tells of by itself.
fn event(record: &[u8]) -> Option<Event> {
    let header = Reader(record).fixed::<Header>()?;
    let mut reader = Reader(record.get(..header.len as usize)?);
    let origin = if is_found(header.kind) { Origin::Backfill } else { Origin::Live };
    Some(Event {
        header: lanner_core::event::Header { origin, ..live(&header) },
        payload: payload(header.kind, &mut reader)?,
    })
}

/// Whether it was found already there, and not seen as it happened.
fn is_found(kind: u16) -> bool {
    matches!(kind, kind::TCP_FOUND | kind::TCP_FOUND_LISTEN | kind::UNIX_FOUND_CONNECT | kind::UNIX_FOUND_LISTEN)
}

fn payload(kind: u16, reader: &mut Reader<'_>) -> Option<Payload> {
    match kind {
        kind::EXEC => process::exec(reader),
        kind::FORK => process::fork(reader),
        kind::EXIT => process::exit(reader),
        kind::OPEN => open::open(reader),
        kind::MEMFD => memfd::memfd(reader),
        kind::RENAME => rename::rename(reader),
        kind::LINK => link::link(reader),
        kind::UNLINK => unlink::unlink(reader),
        kind::MAKE => make::make(reader),
        kind::MODE..=kind::SIZE => attributes::attribute(reader),
        kind::NAMESPACE => namespace::namespace(reader),
        kind::TCP_STARTED..=kind::TCP_CLOSED | kind::TCP_TRAFFIC..=kind::TCP_FOUND_LISTEN => tcp::tcp(reader),
        kind::UNIX_CONNECT..=kind::UNIX_FOUND_LISTEN => unix::unix(reader),
        kind::SOCKET => socket::socket(reader),
        kind::BIND => socket::bind(reader),
        kind::CREDENTIALS => credentials::credentials(reader),
        kind::ROOT => mount::root(reader),
        kind::MOUNT => mount::mount(reader),
        kind::TRACE => trace::trace(reader),
        kind::SIGNAL => signal::signal(reader),
        kind::KERNEL => kernel::kernel(reader),
        kind::BPF => bpf::bpf(reader),
        kind::STDIO => stdio::stdio(reader),
        kind::COMM => comm::comm(reader),
        kind::SEAL => seal::seal(reader),
        kind::URING_SETUP => io_uring::setup(reader),
        kind::URING_OP => io_uring::operation(reader),
        kind::COMPAT => compat::compat(reader),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(unsafe_code)]

    use lanner_collector_abi::{FileFacts, OpenRecord, Plain};
    use lanner_core::event::{Access, File};

    use super::*;

    fn bytes<R: Plain>(record: &R, tail: &[u8]) -> Vec<u8> {
        // SAFETY: `Plain` types have no padding, so all their bytes are initialized.
        let fixed = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(record).cast::<u8>(), size_of::<R>()) };
        [fixed, tail].concat()
    }

    fn open_record() -> Vec<u8> {
        let tail = b"shadow\0etc\0";
        let header =
            Header { kind: kind::OPEN, len: (size_of::<OpenRecord>() + tail.len()) as u32, ..Header::default() };
        let file = FileFacts { dev: 1, ino: 2, mode: 0o100_600, path_len: tail.len() as u16, ..FileFacts::default() };
        bytes(&OpenRecord { header, file, fd: 3, read: 1, ..OpenRecord::default() }, tail)
    }

    #[test]
    fn an_open_decodes() {
        let Some(Event { payload: Payload::Open(open), .. }) = event(&open_record()) else { panic!("an open") };
        assert_eq!(open.file, File::new("/etc/shadow", 1, 2));
        assert_eq!((open.fd, open.access), (3, Access { read: true, write: false }));
    }

    #[test]
    fn damaged_records_are_refused_and_never_panic() {
        let record = open_record();
        for cut in 0..record.len() {
            assert!(event(&record[..cut]).is_none(), "cut at {cut}");
            assert!(found(&record[..cut]).is_none());
        }
        for at in 0..record.len() {
            for value in [0, 10, 11, 12, 0x7f, 0xff] {
                let mut damaged = record.clone();
                damaged[at] = value;
                let _ = event(&damaged);
                let _ = found(&damaged);
            }
        }
    }
}
