//! Unix sockets: who connects to which.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use lanner_core::event::{Event, File, Header, Payload, SocketType, Text, Unix, UnixAct, UnixName};

use super::network::socket;
use super::stage::{Stage, born, expect, file_id, helper, is_me, life_of, namespace, perform, stage};

/// What is told of a unix socket of this name, a path or an abstract one.
fn told(stage: Stage, name: impl AsRef<OsStr>, act: UnixAct) -> (Header, Unix) {
    let name = Text::from(name.as_ref().as_encoded_bytes());
    expect(stage, &format!("{name}: {act:?}"), |e| match &e.payload {
        Payload::Unix(u) if u.act == act && *u.name.text() == name => Some((e.header, u.as_ref().clone())),
        _ => None,
    })
}

fn deeds(life: &[Event]) -> Vec<&Unix> {
    life.iter().filter_map(|e| if let Payload::Unix(unix) = &e.payload { Some(unix.as_ref()) } else { None }).collect()
}

#[test]
fn a_socket_is_told_by_the_file_that_its_listener_bound_and_by_who_listens() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let (path, link) = (dir.path().join("real.sock"), dir.path().join("link.sock"));
    let listener = UnixListener::bind(&path).expect("bound");
    symlink(&path, &link).expect("linked");
    let _out = UnixStream::connect(&link).expect("connects");
    let _in = listener.accept().expect("accepts");

    let id = file_id(&path);
    let name = UnixName::Path(File::new(path.to_str().expect("a path"), id.dev, id.ino));
    let netns = namespace("self", "net");
    let (header, listens) = told(stage, &path, UnixAct::Listening);
    assert!(is_me(header.process) && header.tid != 0);
    let stream = SocketType(libc::SOCK_STREAM as u32);
    let expected =
        Unix { act: UnixAct::Listening, socket_type: stream, name: name.clone(), peer: None, asked: false, netns };
    assert_eq!(listens, expected);
    let (header, connected) = told(stage, &path, UnixAct::Connected);
    assert!(is_me(header.process) && connected.peer.is_some_and(is_me), "{connected:?}");
    let expected = Unix { act: UnixAct::Connected, peer: connected.peer, ..expected };
    assert_eq!(connected, expected);
}

#[test]
fn a_process_that_connects_again_and_again_is_told_once_and_every_process_is() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("busy.sock");
    let _listener = UnixListener::bind(&path).expect("bound");
    let call = || perform(stage, helper("unix::calls_three_times").env("CALL", &path));
    let ((first, one), (second, two)) = (call(), call());
    assert_ne!(first, second);
    for life in [one, two] {
        let [connected] = deeds(&life)[..] else { panic!("one call: {life:?}") };
        assert_eq!(connected.act, UnixAct::Connected);
        assert_eq!(connected.name.text().to_string(), path.display().to_string());
        assert!(connected.peer.is_some_and(is_me), "this process listens");
    }
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn calls_three_times() {
    let path = std::env::var_os("CALL").expect("a socket");
    let calls: Vec<_> = (0..3).map(|_| UnixStream::connect(&path).expect("connects")).collect();
    assert_eq!(calls.len(), 3);
}

#[test]
fn an_abstract_socket_is_told_by_name_and_network() {
    let Some(stage) = stage() else { return };
    let name = format!("lanner \0{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let listener = UnixListener::bind_addr(&address).expect("bound");
    let _out = UnixStream::connect_addr(&address).expect("connects");
    drop(listener);
    let (_, connected) = told(stage, &name, UnixAct::Connected);
    assert_eq!(connected.name, UnixName::Abstract(name.as_str().into()));
    assert_eq!((connected.netns, connected.asked), (namespace("self", "net"), false));
    assert!(connected.peer.is_some_and(is_me));
}

#[test]
fn datagrams_are_told_when_their_socket_is_connected() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("log.sock");
    let _receiver = UnixDatagram::bind(&path).expect("bound");
    UnixDatagram::unbound().expect("a socket").connect(&path).expect("connects");
    let (_, connected) = told(stage, &path, UnixAct::Connected);
    assert_eq!(connected.socket_type, SocketType(libc::SOCK_DGRAM as u32));
    assert_eq!(connected.peer, None, "nobody listens for datagrams");
    let UnixName::Path(file) = connected.name else { panic!("a path: {connected:?}") };
    assert_eq!((file.path.to_string(), file.id), (path.display().to_string(), file_id(&path)));
}

#[test]
fn a_socket_that_nobody_listens_on_is_told_as_asked_for() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("dead.sock");
    drop(UnixListener::bind(&path).expect("bound"));
    assert_eq!(UnixStream::connect(&path).expect_err("dead").raw_os_error(), Some(libc::ECONNREFUSED));
    let (header, failed) = told(stage, &path, UnixAct::Failed(libc::ECONNREFUSED as u32));
    assert!(is_me(header.process));
    assert_eq!((failed.asked, failed.peer), (true, None));
    assert_eq!(failed.name, UnixName::Path(File { path: path.to_str().expect("a path").into(), ..File::default() }));
}

#[test]
fn a_socket_that_one_may_not_use_is_told_as_refused() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("private.sock");
    let _listener = UnixListener::bind(&path).expect("bound");
    let (_, life) = perform(stage, helper("unix::calls_as_nobody").env("CALL", &path));
    let [failed] = deeds(&life)[..] else { panic!("one call: {life:?}") };
    assert_eq!((failed.act, failed.asked), (UnixAct::Failed(libc::EACCES as u32), true));
    assert_eq!(failed.name.text().to_string(), path.display().to_string());
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn calls_as_nobody() {
    let path = std::env::var_os("CALL").expect("a socket");
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::setuid(65534) }, 0);
    assert_eq!(UnixStream::connect(path).expect_err("private").raw_os_error(), Some(libc::EACCES));
}

/// A socket that is mounted into a container is the host's socket, whatever it is called there.
#[test]
fn a_socket_mounted_elsewhere_is_told_by_its_listeners_path() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("bound");
    let there = dir.path().join("mounted.sock");
    std::fs::write(&there, "").expect("written");
    let script = format!("mount --bind {} {} && exec \"$0\" \"$@\"", path.display(), there.display());
    let this = helper("unix::calls_three_times");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).arg(this.get_program()).args(this.get_args()).env("CALL", &there);
    let mut child = command.stdout(std::process::Stdio::null()).spawn().expect("unshare runs");
    let pid = child.id();
    child.wait().expect("it ends");
    let life = life_of(stage, born(stage, pid));
    let [connected] = deeds(&life)[..] else { panic!("one call: {life:?}") };
    assert_eq!(connected.name.text().to_string(), path.display().to_string());
    assert!(connected.peer.is_some_and(is_me));
}

#[test]
fn a_name_that_nobody_has_is_not_told() {
    let Some(stage) = stage() else { return };
    let (_, life) = perform(stage, helper("unix::calls_three_times").env("CALL", "/nobody/is/here"));
    assert_eq!(deeds(&life), Vec::<&Unix>::new());
}

#[test]
fn what_is_no_address_is_no_reason_to_stumble() {
    let Some(stage) = stage() else { return };
    let unix = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).expect("a socket");
    for len in [0, 1, 2, 3, 200, u32::MAX] {
        // SAFETY: the kernel checks the address, of which at most the bytes that it says are there are read.
        let result = unsafe { libc::connect(unix.as_raw_fd(), std::ptr::dangling(), len) };
        assert!(result < 0, "{}", io::Error::last_os_error());
    }
    // It goes on.
    let name = format!("after {}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("a name");
    let _listener = UnixListener::bind_addr(&address).expect("bound");
    told(stage, &name, UnixAct::Listening);
}
