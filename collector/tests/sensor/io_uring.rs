//! What is done through io_uring.

use std::ffi::CStr;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::ptr;

use lanner_core::event::{Access, Attempt, Event, File, Open, OpenFlags, Passed, Payload, UringOp, UringSetup};

use lanner_tests::ring::{ASYNC, Entry, Ring, SQPOLL, creating};

use super::network::{in_own_network, sockaddr, tcp};
use super::stage::{expect, file_id, helper, is_me, perform, stage};

/// `IORING_OP_CONNECT`.
const CONNECT: u8 = 16;

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
    assert!(life.iter().any(|e| matches!(e.payload, Payload::Exit(exit) if exit.code == 0)), "{life:?}");

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
            ("setxattr", at("folder/moved"), Some("trusted.lanner".to_owned())),
            ("fsetxattr", at("folder/moved"), Some("trusted.other".to_owned())),
            ("socket", None, None),
            ("connect", None, None),
            ("send", None, None),
        ],
        "each of those that change names, the others once"
    );

    let moved = file_id(dir.path().join("hard"));
    let path = |file: &File| Some(file.path.to_string());
    let changed: Vec<_> = life
        .iter()
        .filter_map(|e| match &e.payload {
            Payload::Make(make) => Some(("made", path(&make.file), None, make.file.id)),
            Payload::Rename(rename) => Some(("renamed", path(&rename.from), path(&rename.file), rename.file.id)),
            Payload::Link(link) if link.symbolic => {
                Some(("pointed", path(&link.target), path(&link.file), link.file.id))
            }
            Payload::Link(link) => Some(("linked", path(&link.target), path(&link.file), link.file.id)),
            Payload::Unlink(unlink) => Some(("removed", path(&unlink.file), None, unlink.file.id)),
            _ => None,
        })
        .collect();
    let gone = changed.last().map(|(_, _, _, id)| *id).expect("something");
    assert!(gone.is_known() && gone != moved);
    assert_eq!(
        changed,
        [
            ("made", at("folder"), None, file_id(dir.path().join("folder"))),
            ("renamed", at("made"), at("folder/moved"), moved),
            ("pointed", Some("../anywhere".to_owned()), at("link"), gone),
            ("linked", at("folder/moved"), at("hard"), moved),
            ("removed", at("link"), None, gone),
        ],
        "what came to something is told as the system calls are"
    );

    let opens: Vec<&Open> = life
        .iter()
        .filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None })
        .collect();
    let [made, again, cut] = opens[..] else { panic!("three files opened to write: {opens:?}") };
    assert_eq!(made.file.path.to_string(), at("made").expect("a path"));
    assert_eq!(made.file.id, file_id(dir.path().join("hard")));
    assert_eq!((made.created, made.access), (true, Access { read: false, write: true }));
    let passed = Passed { name: None, flags: OpenFlags(0o101), mode: 0o600 };
    assert_eq!(
        (&made.passed, &cut.passed),
        (&Some(passed), &Some(Passed { name: None, flags: OpenFlags(0o1001), mode: 0 }))
    );
    assert_eq!((cut.created, cut.file.path.to_string()), (false, at("second").expect("a path")));
    assert_eq!((again.created, again.file.path.to_string()), (true, at("second").expect("a path")));

    let connected = life.iter().any(
        |e| matches!(&e.payload, Payload::Connect(c) if c.attempt == Attempt::Established && c.flow.remote == peer),
    );
    assert!(connected, "the socket tells of the connection: {life:?}");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn does_without_system_calls() {
    let mut ring = Ring::new(8, 0).expect("a ring");
    let mut ask = |entry| ring.ask(entry).expect("a result");
    let at = libc::AT_FDCWD;
    for name in [c"made", c"second"] {
        assert!(ask(creating(name)) >= 0, "{name:?}");
    }
    let cut = (libc::O_WRONLY | libc::O_TRUNC).cast_unsigned();
    assert!(ask(Entry { len: 0, how: cut, ..creating(c"second") }) >= 0);
    let two = |opcode, old: &CStr, new: &CStr| Entry {
        opcode,
        fd: at,
        off: address(new),
        addr: address(old),
        // The new name's folder.
        len: at as u32,
        ..Entry::default()
    };
    assert_eq!(ask(Entry { opcode: 37, fd: at, addr: address(c"folder"), len: 0o700, ..Entry::default() }), 0);
    assert_eq!(ask(two(35, c"made", c"folder/moved")), 0);
    assert_eq!(ask(Entry { len: 0, ..two(38, c"../anywhere", c"link") }), 0);
    assert_eq!(ask(two(39, c"folder/moved", c"hard")), 0);
    assert_eq!(ask(Entry { opcode: 36, fd: at, addr: address(c"link"), ..Entry::default() }), 0);
    let missing = Entry { opcode: 36, fd: at, addr: address(c"/missing/absolute"), ..Entry::default() };
    assert_eq!(ask(missing), -libc::ENOENT);
    // What comes of these is the file system's business.
    let set = |name: &CStr| Entry { addr: address(name), off: address(c"1"), len: 1, ..Entry::default() };
    ask(Entry { opcode: 42, rest: [address(c"folder/moved"), 0], ..set(c"trusted.lanner") });
    let moved = std::fs::File::open("folder/moved").expect("opened");
    ask(Entry { opcode: 41, fd: moved.as_raw_fd(), ..set(c"trusted.other") });

    let SocketAddr::V4(peer) = std::env::var("PEER").expect("a peer").parse().expect("an address") else {
        panic!("IPv4")
    };
    let socket = Entry { opcode: 45, fd: libc::AF_INET, off: libc::SOCK_STREAM as u64, ..Entry::default() };
    let socket = ask(socket);
    assert!(socket >= 0, "{socket}");
    let mut to = [0u8; 16];
    to[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    to[2..4].copy_from_slice(&peer.port().to_be_bytes());
    to[4..8].copy_from_slice(&peer.ip().octets());
    let connect = Entry { opcode: CONNECT, fd: socket, off: 16, addr: to.as_ptr() as u64, ..Entry::default() };
    assert_eq!(ask(connect), 0);
    for _ in 0..2 {
        let send = Entry { opcode: 26, fd: socket, addr: c"x".as_ptr() as u64, len: 1, ..Entry::default() };
        assert_eq!(ask(send), 1);
    }
    assert_eq!(ask(Entry::default()), 0, "a nop is not told");
}

/// Nothing tells when such operations are done, on either layer: what is told is that they were asked for.
#[test]
fn changes_of_names_that_a_ring_is_asked_for_without_a_word_are_told_as_asked_for() {
    let Some(stage) = stage() else { return };
    if Ring::new(2, 0).and_then(|mut ring| ring.ask_silently(Entry::default())).ok() != Some(0) {
        return lanner_tests::not_here("rings always say when they are done here");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = helper("io_uring::changes_names_without_a_word");
    let (_, life) = perform(stage, command.current_dir(dir.path()));
    assert!(dir.path().join("hard").exists() && !dir.path().join("moved").exists(), "all of it is done: {life:?}");
    let at = |name: &str| Some(format!("{}/{name}", dir.path().display()));
    assert_eq!(
        operations(&life),
        [
            ("mkdirat", at("folder"), None),
            ("renameat", at("made"), at("moved")),
            ("symlinkat", Some("anywhere".to_owned()), at("link")),
            ("linkat", at("moved"), at("hard")),
            ("unlinkat", at("moved"), None),
        ]
    );
    let is_change =
        |e: &&Event| matches!(e.payload, Payload::Make(_) | Payload::Rename(_) | Payload::Link(_) | Payload::Unlink(_));
    assert_eq!(life.iter().find(is_change), None, "the table says that it is missed");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn changes_names_without_a_word() {
    std::fs::write("made", "x").expect("written");
    let mut ring = Ring::new(2, 0).expect("a ring");
    let mut ask = |entry| assert_eq!(ring.ask_silently(entry).expect("a result"), 0);
    let at = libc::AT_FDCWD;
    let one = |opcode, name: &CStr| Entry { opcode, fd: at, addr: address(name), ..Entry::default() };
    let two = |opcode, old: &CStr, new: &CStr| Entry { off: address(new), len: at as u32, ..one(opcode, old) };
    ask(Entry { len: 0o700, ..one(37, c"folder") });
    ask(two(35, c"made", c"moved"));
    ask(Entry { len: 0, ..two(38, c"anywhere", c"link") });
    ask(two(39, c"moved", c"hard"));
    ask(one(36, c"moved"));
}

fn address(name: &CStr) -> u64 {
    name.as_ptr() as u64
}

/// Connects through the ring; the process of the thread that the kernel does it with is this one.
fn connects(setup: u32, flags: u8) {
    let Some(stage) = stage() else { return };
    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let remote = listener.local_addr().expect("its address");
        let (socket, to) = (tcp(), sockaddr(remote));
        let request = Entry {
            opcode: CONNECT,
            flags,
            fd: socket.as_raw_fd(),
            off: size_of_val(&to) as u64,
            addr: ptr::from_ref(&to) as u64,
            ..Entry::default()
        };
        match Ring::new(1, setup).and_then(|mut ring| ring.ask(request)) {
            Ok(result) => assert_eq!(result, 0),
            Err(error) => return lanner_tests::not_run(format!("no io_uring: {error}")),
        }
        for wanted in [Attempt::Started, Attempt::Established] {
            let header = expect(stage, &format!("{wanted:?}"), |e| match e.payload {
                Payload::Connect(c)
                    if (c.flow.remote, c.flow.netns, c.attempt, c.asked) == (remote, netns, wanted, false) =>
                {
                    Some(e.header)
                }
                _ => None,
            });
            assert!(is_me(header.process), "{header:?}");
        }
    });
}

#[test]
fn a_connection_of_the_calling_thread_is_told() {
    connects(0, 0);
}

#[test]
fn a_connection_of_a_worker_thread_is_told_as_its_processs() {
    connects(0, ASYNC);
}

#[test]
fn a_connection_of_the_polling_thread_is_told_as_its_processs() {
    connects(SQPOLL, 0);
}
