//! What is done through io_uring.

use std::ffi::CStr;
use std::net::{SocketAddr, TcpListener};

use lanner_core::event::{Access, Attempt, Event, Open, Payload, UringOp, UringSetup};

use super::stage::{file_id, helper, perform, stage};

fn operations(life: &[Event]) -> Vec<(&str, Option<String>, Option<String>)> {
    let of = |e: &Event| match &e.payload {
        Payload::UringOp(op) => {
            let UringOp { operation, path, second } = op.as_ref().clone();
            Some((operation.name(), path.map(|p| p.to_string()), second.map(|p| p.to_string())))
        }
        _ => None,
    };
    life.iter().filter_map(of).collect()
}

#[test]
fn rings_and_what_is_asked_through_them_are_told() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let peer = listener.local_addr().expect("its address");
    let mut command = helper("io_uring::does_without_system_calls");
    let (_, life) = perform(stage, command.current_dir(dir.path()).env("PEER", peer.to_string()));
    assert!(matches!(life.last().map(|e| &e.payload), Some(Payload::Exit(exit)) if exit.code == 0), "{life:?}");

    let setup: Vec<_> = life
        .iter()
        .filter_map(|e| if let Payload::UringSetup(setup) = e.payload { Some(setup) } else { None })
        .collect();
    let [UringSetup { fd, entries: 8, flags: 0 }] = setup[..] else { panic!("one ring of 8: {setup:?}") };
    assert!(fd >= 3);

    let at = |name: &str| Some(format!("{}/{name}", dir.path().display()));
    assert_eq!(
        operations(&life),
        [
            ("openat", at("made"), None),
            ("mkdirat", at("folder"), None),
            ("renameat", at("made"), at("folder/moved")),
            ("symlinkat", Some("../anywhere".to_owned()), at("link")),
            ("linkat", at("folder/moved"), at("hard")),
            ("unlinkat", at("link"), None),
            ("unlinkat", Some("/missing/absolute".to_owned()), None),
            ("socket", None, None),
            ("connect", None, None),
            ("send", None, None),
        ],
        "each of those that change names, the others once"
    );

    let opens: Vec<&Open> = life
        .iter()
        .filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None })
        .collect();
    let [made, again] = opens[..] else { panic!("two files opened to write: {opens:?}") };
    assert_eq!(made.file.path.to_string(), at("made").expect("a path"));
    assert_eq!(made.file.id, file_id(dir.path().join("hard")));
    assert_eq!((made.created, made.access), (true, Access { read: false, write: true }));
    assert_eq!((again.created, again.file.path.to_string()), (true, at("second").expect("a path")));

    let connected = life.iter().any(
        |e| matches!(&e.payload, Payload::Connect(c) if c.attempt == Attempt::Established && c.flow.remote == peer),
    );
    assert!(connected, "the socket tells of the connection: {life:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn does_without_system_calls() {
    let mut ring = Ring::new();
    let at = libc::AT_FDCWD;
    let flags = (libc::O_WRONLY | libc::O_CREAT) as u32;
    let create = |ring: &mut Ring, name: &CStr| {
        let fd = ring.ask(Entry { opcode: 18, fd: at, addr: address(name), len: 0o600, flags, ..Entry::default() });
        assert!(fd >= 0, "{name:?}: {fd}");
    };
    create(&mut ring, c"made");
    create(&mut ring, c"second");
    let two = |opcode, old: &CStr, new: &CStr| Entry {
        opcode,
        fd: at,
        off: address(new),
        addr: address(old),
        // The new name's folder.
        len: at as u32,
        ..Entry::default()
    };
    assert_eq!(ring.ask(Entry { opcode: 37, fd: at, addr: address(c"folder"), len: 0o700, ..Entry::default() }), 0);
    assert_eq!(ring.ask(two(35, c"made", c"folder/moved")), 0);
    assert_eq!(ring.ask(Entry { len: 0, ..two(38, c"../anywhere", c"link") }), 0);
    assert_eq!(ring.ask(two(39, c"folder/moved", c"hard")), 0);
    assert_eq!(ring.ask(Entry { opcode: 36, fd: at, addr: address(c"link"), ..Entry::default() }), 0);
    let missing = Entry { opcode: 36, fd: at, addr: address(c"/missing/absolute"), ..Entry::default() };
    assert_eq!(ring.ask(missing), -libc::ENOENT);

    let SocketAddr::V4(peer) = std::env::var("PEER").expect("a peer").parse().expect("an address") else {
        panic!("IPv4")
    };
    let socket = Entry { opcode: 45, fd: libc::AF_INET, off: libc::SOCK_STREAM as u64, ..Entry::default() };
    let socket = ring.ask(socket);
    assert!(socket >= 0, "{socket}");
    let mut to = [0u8; 16];
    to[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    to[2..4].copy_from_slice(&peer.port().to_be_bytes());
    to[4..8].copy_from_slice(&peer.ip().octets());
    let connect = Entry { opcode: 16, fd: socket, off: 16, addr: to.as_ptr() as u64, ..Entry::default() };
    assert_eq!(ring.ask(connect), 0);
    for _ in 0..2 {
        let send = Entry { opcode: 26, fd: socket, addr: c"x".as_ptr() as u64, len: 1, ..Entry::default() };
        assert_eq!(ring.ask(send), 1);
    }
    assert_eq!(ring.ask(Entry::default()), 0, "a nop is not told");
}

fn address(name: &CStr) -> u64 {
    name.as_ptr() as u64
}

/// `struct io_uring_sqe`, as far as it is needed here.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Entry {
    opcode: u8,
    zero: [u8; 3],
    fd: i32,
    off: u64,
    addr: u64,
    len: u32,
    flags: u32,
    rest: [u64; 4],
}

/// A ring for one operation at a time.
struct Ring {
    fd: i32,
    rings: *mut u8,
    entries: *mut Entry,
    params: [u32; 30],
}

impl Ring {
    fn new() -> Self {
        let mut params = [0u32; 30];
        // SAFETY: as long as `struct io_uring_params`.
        let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, 8, params.as_mut_ptr()) } as i32;
        assert!(fd >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: maps what the kernel made: both rings (one mapping since Linux 5.4), and the entries.
        let map = |offset| unsafe {
            let shared = libc::MAP_SHARED | libc::MAP_POPULATE;
            libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, shared, fd, offset)
        };
        Ring { fd, rings: map(0).cast(), entries: map(0x1000_0000).cast(), params }
    }

    /// The word at an offset that the kernel told.
    fn word(&mut self, offset: usize) -> &mut u32 {
        // SAFETY: within the mapping of the rings; the kernel changes it only while it is asked.
        unsafe { &mut *self.rings.add(self.params[offset] as usize).cast() }
    }

    /// Asks for an operation and waits for its result.
    fn ask(&mut self, entry: Entry) -> i32 {
        // `sq_off` begins at word 10 (head, tail, ring_mask, ring_entries, flags, dropped, array), `cq_off` at word 20
        // (head, tail, ring_mask, ring_entries, overflow, cqes).
        let tail = *self.word(11);
        let at = tail & *self.word(12);
        // SAFETY: within the mapping of the entries, and of the rings.
        unsafe {
            self.entries.add(at as usize).write_volatile(entry);
            let array: *mut u32 = self.rings.add(self.params[16] as usize).cast();
            array.add(at as usize).write_volatile(at);
        }
        *self.word(11) = tail + 1;
        // SAFETY: no pointers.
        let done = unsafe { libc::syscall(libc::SYS_io_uring_enter, self.fd, 1, 1, 1, 0, 0) };
        assert_eq!(done, 1, "{}", std::io::Error::last_os_error());
        let head = *self.word(20);
        let at = head & *self.word(22);
        // SAFETY: within the mapping of the rings: a number of 8 bytes, the result, flags.
        let result = unsafe {
            let results: *const [i32; 4] = self.rings.add(self.params[25] as usize).cast();
            (*results.add(at as usize))[2]
        };
        *self.word(20) = head + 1;
        result
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: closes what was opened here.
        unsafe { libc::close(self.fd) };
    }
}
