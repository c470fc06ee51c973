//! The full layer: what stands on kernel functions, where the kernel allows that. Where it does not, each hook says so.

use std::ffi::CString;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use lanner_core::event::{
    Access, Attempt, Event, File, FileId, HookLayer, HookState, Open, OpenFlags, Passed, Payload, Through, UnixAct,
    UnixName,
};

use super::network::{address, in_own_network, send_to, socket, tcp};
use super::stage::{
    Ends, Stage, after, born, done, expect, file_id, helper, is_me, kernel, life_of, namespace, perform, stage,
};
use super::uring_sockets::{ACCEPT, CONNECT, GOES_ON, unix_address, with_address};
use lanner_tests::ring::{self, Entry, Ring};

/// Whether a hook of the full layer is attached. Where it must be (`cargo xtask vm` knows which kernels allow it) it is;
/// elsewhere it says why it is not, and what is not seen.
fn has(stage: Stage, name: &str) -> bool {
    let hooks = stage.hooks();
    let hook = hooks.iter().find(|h| h.name == name).expect("the hook is known");
    assert_eq!(hook.layer, HookLayer::Full);
    let HookState::Refused(why) = &hook.state else { return true };
    assert!(std::env::var_os("LANNER_FULL_LAYER").is_none(), "{name} must be attached here: {why}");
    assert!(why.starts_with("the kernel") && !hook.without.is_empty(), "{hook:?}");
    false
}

fn opens(life: &[Event]) -> Vec<&Open> {
    life.iter().filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None }).collect()
}

#[test]
fn files_opened_by_a_ring_are_told_whoever_does_its_work_and_wherever_it_keeps_them() {
    let Some(stage) = stage() else { return };
    if !has(stage, "security_file_open") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let child = helper("full::opens_by_rings").env("FOLDER", dir.path()).stdout(Stdio::piped()).spawn().expect("runs");
    let pid = child.id();
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let life = life_of(stage, born(stage, pid));
    let by_ring: Vec<&Open> = opens(&life).into_iter().filter(|open| open.through == Through::IoUring).collect();
    assert_eq!(by_ring.len(), 3, "each is told once: {life:?}");
    for (open, name) in by_ring.iter().zip(["inline", "thread", "table"]) {
        let path = dir.path().join("real").join(name);
        assert_eq!(
            **open,
            Open {
                file: File::new(path.to_str().expect("text"), file_id(&path).dev, file_id(&path).ino),
                fd: -1,
                access: Access { read: false, write: true },
                created: true,
                written_before: false,
                directory: false,
                through: Through::IoUring,
                passed: Some(Passed { name: None, flags: OpenFlags(0o101), mode: 0o600 }),
            }
        );
    }
    let inline = String::from_utf8_lossy(&output.stdout);
    let told = by_ring[0].file.path.to_string();
    assert!(inline.contains(&format!("the kernel's own: {told}\n")), "{told} is not what d_path says: {inline}");
    let by_call = opens(&life).into_iter().filter(|o| o.through == Through::Call && o.file.id == by_ring[0].file.id);
    assert_eq!(by_call.count(), 0, "told once");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
#[allow(clippy::print_stdout)]
fn opens_by_rings() {
    let folder = std::env::var("FOLDER").expect("another test sets it");
    fs::create_dir(format!("{folder}/real")).expect("made");
    std::os::unix::fs::symlink("real", format!("{folder}/link")).expect("linked");
    std::env::set_current_dir(&folder).expect("entered");
    let path = |name: &str| CString::new(format!("link/../link/{name}")).expect("no NUL");
    let fd = ring::open(&path("inline"), 0, false).expect("opened");
    let own = fs::read_link(format!("/proc/self/fd/{fd}")).expect("an open file");
    println!("the kernel's own: {}", own.display());
    ring::open(&path("thread"), ring::ASYNC, false).expect("opened");
    assert_eq!(ring::open(&path("table"), 0, true).expect("opened"), 0);
}

/// A link whose text is too long to lie beside its inode: what is named through it cannot be walked.
#[test]
fn what_is_mounted_through_links_that_cannot_be_followed_is_told_by_the_kernel() {
    let Some(stage) = stage() else { return };
    if ["security_sb_mount", "security_sb_umount", "security_move_mount"].map(|name| has(stage, name)).contains(&false)
    {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let (real, other) = (dir.path().join("real"), dir.path().join("other"));
    fs::create_dir(&real).expect("made");
    fs::create_dir(&other).expect("made");
    let long = "./".repeat(600);
    std::os::unix::fs::symlink(format!("{long}real"), dir.path().join("link")).expect("linked");
    std::os::unix::fs::symlink(format!("{long}other"), dir.path().join("way")).expect("linked");
    let at = CString::new(dir.path().to_str().expect("text")).expect("no NUL");
    let (_, life) = perform(
        stage,
        &mut after(move || {
            let (null, none) = (std::ptr::null(), std::ptr::null());
            let here = libc::AT_FDCWD;
            // SAFETY: NUL-terminated strings, and pointers that may be null.
            unsafe {
                done(libc::unshare(libc::CLONE_NEWNS).into())?;
                done(libc::mount(null, c"/".as_ptr(), null, libc::MS_REC | libc::MS_PRIVATE, none).into())?;
                done(libc::chdir(at.as_ptr()).into())?;
                done(libc::mount(c"loot".as_ptr(), c"link".as_ptr(), c"tmpfs".as_ptr(), 0, none).into())?;
                done(libc::mount(null, c"link".as_ptr(), null, libc::MS_SLAVE, none).into())?;
                done(libc::syscall(libc::SYS_move_mount, here, c"link".as_ptr(), here, c"way".as_ptr(), FOLLOW_BOTH))?;
                // Nothing is mounted there any more.
                libc::syscall(libc::SYS_move_mount, here, c"link".as_ptr(), here, c"way".as_ptr(), FOLLOW_BOTH);
                done(libc::umount2(c"way".as_ptr(), libc::MNT_DETACH).into())?;
            }
            Ok(())
        }),
    );
    /// `MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_T_SYMLINKS`.
    const FOLLOW_BOTH: u32 = 0x11;
    let told: Vec<(&str, String, FileId, bool)> = life
        .iter()
        .filter_map(|e| match &e.payload {
            Payload::Mount(mount) => {
                Some((mount.call.name(), mount.place.path.to_string(), mount.place.id, mount.place.as_passed))
            }
            _ => None,
        })
        .collect();
    let (real, other) = ((real.display().to_string(), file_id(&real)), (other.display().to_string(), file_id(&other)));
    let root = told.get(2).expect("a mount that was changed").2;
    assert!(root.is_known() && root != real.1);
    let row = |call: &'static str, path: &str, id| (call, path.to_owned(), id, false);
    // Older kernels do not tell which mount is the youngest.
    let passed = ("mount", dir.path().join("link").display().to_string(), FileId::default(), true);
    let made = if kernel() >= (6, 8) { row("mount", &real.0, root) } else { passed };
    assert_eq!(
        told,
        [
            row("mount", "/", file_id("/")),
            made,
            row("mount", &real.0, root),
            row("move_mount", &other.0, root),
            row("move_mount", &other.0, root),
            row("umount2", &other.0, other.1),
        ]
    );
}

/// A module that is loaded already: the kernel reads all of it before it says so.
const LOADED: &str = "/modules/veth.ko";

/// Another thread puts one file and then another behind the descriptor while the kernel takes a module through it. Which of
/// them the kernel read, it says by its error.
#[test]
fn a_module_is_the_file_that_the_kernel_read_whatever_its_descriptor_leads_to_by_then() {
    let Some(stage) = stage() else { return };
    if !has(stage, "security_kernel_read_file") {
        return;
    }
    if !Path::new(LOADED).exists() {
        return lanner_tests::not_here(format!("no {LOADED}: `cargo xtask vm` has it"));
    }
    let dir = tempfile::tempdir().expect("a folder");
    let junk = dir.path().join("junk.ko");
    fs::write(&junk, "no module at all").expect("written");
    let (_, life) = perform(stage, helper("full::loads_while_it_is_swapped").env("JUNK", &junk));
    let mut told = [0, 0];
    for event in &life {
        let Payload::Kernel(load) = &event.payload else { continue };
        let (kind, path) = match load.errno as i32 {
            libc::EEXIST => (0, Path::new(LOADED)),
            libc::ENOEXEC => (1, junk.as_path()),
            errno => panic!("neither: {errno}"),
        };
        let id = file_id(path);
        assert_eq!(load.file, Some(File::new(path.display().to_string(), id.dev, id.ino)), "{load:?}");
        told[kind] += 1;
    }
    assert_eq!(told[0] + told[1], SWAPPED_LOADS, "{life:?}");
    assert!(told[0] > 0 && told[1] > 0, "it was swapped: {told:?}");
}

const SWAPPED_LOADS: usize = 60;

#[test]
#[ignore = "what another test runs as a process of its own"]
fn loads_while_it_is_swapped() {
    let open = |path: &Path| fs::File::open(path).expect("opened");
    let files = [open(Path::new(LOADED)), open(Path::new(&std::env::var_os("JUNK").expect("another test sets it")))];
    let place = files[0].try_clone().expect("a descriptor");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends { done: &done, accepts_at: None };
        scope.spawn(|| {
            for file in files.iter().cycle().take_while(|_| !done.load(Ordering::Relaxed)) {
                // SAFETY: no pointers; both stay open.
                assert!(unsafe { libc::dup2(file.as_raw_fd(), place.as_raw_fd()) } >= 0);
            }
        });
        for _ in 0..SWAPPED_LOADS {
            // SAFETY: a NUL-terminated string.
            let loaded = unsafe { libc::syscall(libc::SYS_finit_module, place.as_raw_fd(), c"".as_ptr(), 0) };
            assert!(loaded < 0, "it is loaded already, or none");
        }
    });
}

/// Where no packet could be sent, nothing but the call itself tells; where one was, it is told once, as ever.
#[test]
fn data_that_cannot_be_sent_before_there_is_a_connection_is_told_with_its_error() {
    let Some(stage) = stage() else { return };
    if !has(stage, "__inet_stream_connect") {
        return;
    }
    in_own_network(|netns| {
        let (nowhere, refused) = (address([10, 77, 0, 1], 4031), address([127, 0, 0, 1], 4032));
        let (unsent, sent) = (tcp(), tcp());
        assert_eq!(send_to(&unsent, b"beacon", nowhere), libc::ENETUNREACH);
        assert_eq!(send_to(&sent, b"beacon", refused), libc::ECONNREFUSED);
        assert_eq!(send_to(&unsent, b"again", nowhere), libc::ENETUNREACH);
        // Whatever comes after has its place behind all of it.
        let last = address([127, 0, 0, 1], 4033);
        assert_eq!(send_to(&tcp(), b"beacon", last), libc::ECONNREFUSED);
        let attempts = |remote: SocketAddr| -> Vec<(Attempt, bool)> {
            let of = |e: &Event| match e.payload {
                Payload::Connect(c) if (c.flow.remote, c.flow.netns) == (remote, netns) => Some((c.attempt, c.asked)),
                _ => None,
            };
            stage.seen().iter().filter_map(of).collect()
        };
        let header = expect(stage, "all of it", |e| match e.payload {
            Payload::Connect(c) if (c.flow.remote, c.flow.netns) == (last, netns) => {
                matches!(c.attempt, Attempt::Failed(_)).then_some(e.header)
            }
            _ => None,
        });
        assert!(is_me(header.process));
        let unreachable = (Attempt::Failed(libc::ENETUNREACH as u32), true);
        assert_eq!(attempts(nowhere), [unreachable; 2]);
        let failed = (Attempt::Failed(libc::ECONNREFUSED as u32), false);
        assert_eq!(attempts(refused), [(Attempt::Started, false), failed]);
    });
}

#[test]
fn connections_that_a_ring_makes_and_takes_without_a_word_are_told() {
    let Some(stage) = stage() else { return };
    if ["security_sock_graft", "security_unix_stream_connect"].map(|name| has(stage, name)).contains(&false) {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).expect("bound");
    let socket = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).expect("a socket");
    let to = unix_address(&path);
    let mut ring = Ring::new(2, 0).expect("a ring");
    match ring.ask_silently(with_address(CONNECT, &socket, &to)) {
        Ok(result) => assert_eq!(result, 0),
        Err(error) => panic!("{error}"),
    }
    let id = file_id(&path);
    let name = UnixName::Path(File::new(path.to_str().expect("a path"), id.dev, id.ino));
    let (header, connected) = expect(stage, "it connects", |e| match &e.payload {
        Payload::Unix(unix) if unix.name == name && unix.act == UnixAct::Connected => {
            Some((e.header, unix.as_ref().clone()))
        }
        _ => None,
    });
    assert!(is_me(header.process) && connected.peer.is_some_and(is_me), "{connected:?}");
    assert_eq!((connected.asked, connected.netns), (false, namespace("self", "net")));

    in_own_network(|netns| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let local = listener.local_addr().expect("its address");
        let client = TcpStream::connect(local).expect("connects");
        let entry = Entry { opcode: ACCEPT, priority: GOES_ON, fd: listener.as_raw_fd(), ..Entry::default() };
        let accepted = Ring::new(1, 0).and_then(|mut ring| ring.ask(entry)).expect("a result");
        if accepted == -libc::EINVAL {
            return lanner_tests::not_here("this kernel's rings accept one at a time");
        }
        let remote = client.local_addr().expect("its address");
        let header = expect(stage, "it is accepted", |e| match e.payload {
            Payload::Accept(a) if (a.flow.local, a.flow.remote, a.flow.netns) == (local, remote, netns) => {
                Some(e.header)
            }
            _ => None,
        });
        assert!(is_me(header.process) && header.tid != 0, "told while it is open");
        // SAFETY: just made, and owned by nobody else.
        drop(unsafe { OwnedFd::from_raw_fd(accepted) });
    });
}
