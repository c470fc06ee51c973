//! A collector at the other end: slow to answer, gone, back, and faster than this program.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use lanner_collector::hub::{Hub, Limits, Polled, Room, Source, SourceError};
use lanner_collector::service::{Listener, serve};
use lanner_core::event::*;
use lanner_proto::address::Address;
use rustix::process::Signal;
use tempfile::tempdir;
use tokio::sync::oneshot;

use super::session::{Session, Start};

/// Where a frame begins (DEC private mode 2026).
const FRAME: &[u8] = b"\x1b[?2026h";

/// What the collector sees next.
struct Seen {
    events: Vec<Event>,
    losses: Vec<Loss>,
    /// What time it is then, if it sees nothing.
    second: Option<u64>,
}

struct Scripted {
    next: Mutex<Receiver<Seen>>,
    now: BootTime,
}

impl Source for Scripted {
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        let mut losses = Vec::new();
        for seen in self.next.lock().unwrap().try_iter() {
            self.now = seen.second.map_or(self.now, |second| BootTime(second * 1_000_000_000));
            self.now = seen.events.last().map_or(self.now, |event| event.header.time);
            events.extend(seen.events);
            losses.extend(seen.losses);
        }
        Ok(Polled { now: self.now, losses })
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        self.poll(events)
    }
}

/// A collector that sees what it is told to.
struct Collector {
    script: SyncSender<Seen>,
    end: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Collector {
    /// Begins at this second of the node's time.
    fn start(socket: &Path, second: u64) -> Collector {
        let (script, next) = sync_channel(1);
        let node = NodeInfo { name: "scripted".into(), boot_id: "b".into(), ..NodeInfo::default() };
        let limits = Limits { queue: Room { events: 2_000, bytes: usize::MAX }, ..Limits::default() };
        let source = Scripted { next: Mutex::new(next), now: BootTime(second * 1_000_000_000) };
        let hub = Arc::new(Hub::start(source, node, limits).unwrap());
        let (end, ended) = oneshot::channel();
        let address = Address::Unix(socket.into());
        let (ready, is_ready) = sync_channel(1);
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = Listener::bind(&address).await.unwrap();
                ready.send(()).unwrap();
                let over = async {
                    let _ = ended.await;
                };
                // Whoever is connected is cut off at once, as when the collector is killed.
                tokio::select! {
                    served = serve(hub, listener, std::future::pending()) => served.unwrap(),
                    () = over => {}
                }
            });
            // The connections are the runtime's, and go with it.
        });
        is_ready.recv().unwrap();
        Collector { script, end, serving }
    }

    fn see(&self, events: Vec<Event>) {
        self.script.send(Seen { events, losses: Vec::new(), second: None }).unwrap();
    }

    fn lose(&self, cause: LossCause, count: u64) {
        self.script.send(Seen { events: Vec::new(), losses: vec![Loss { cause, count }], second: None }).unwrap();
    }

    /// Sees nothing until then.
    fn pass(&self, second: u64) {
        self.script.send(Seen { events: Vec::new(), losses: Vec::new(), second: Some(second) }).unwrap();
    }

    fn kill(self) {
        self.end.send(()).unwrap();
        self.serving.join().unwrap();
    }
}

fn event(second: u64, pid: u32, payload: Payload) -> Event {
    let process = ProcessKey::new(pid, u64::from(pid));
    let header = Header {
        seq: 0,
        time: BootTime(second * 1_000_000_000),
        cpu: 0,
        process,
        tid: pid,
        origin: Origin::Live,
        compat: false,
    };
    Event { header, payload }
}

fn exec(second: u64, pid: u32, name: &str) -> Event {
    let args = Args { list: vec![Text::from(name)], truncated: true };
    let image = Image { exe: File::new(format!("/bin/{name}").as_str(), 1, 1), args, ..Image::default() };
    let task = Task { comm: Text::from(name), ..Task::default() };
    event(second, pid, Payload::Exec(Box::new(Exec { task, image })))
}

/// Events that change nothing.
fn noise(second: u64, n: u64) -> Vec<Event> {
    let listen = Listen { local: "127.0.0.1:80".parse().unwrap(), netns: 0 };
    (0..n).map(|_| event(second, 900, Payload::Listen(listen))).collect()
}

fn connect(socket: &Path) -> Session {
    Start::lanner(&["connect", &format!("unix://{}", socket.display())]).session()
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("lanner.sock")
}

#[test]
fn where_nobody_listens_that_is_said_at_once() {
    let folder = tempdir().unwrap();
    let mut session = connect(&socket(folder.path()));
    assert_eq!(session.end().exit_code(), 1);
    assert!(session.text().contains("no collector answers at"), "{}", session.text());
    assert!(!session.written.contains(&0x1b), "the screen was not taken for that");
}

#[test]
fn while_a_collector_does_not_answer_the_screen_says_so_and_tries_again() {
    let folder = tempdir().unwrap();
    let socket = socket(folder.path());
    let silent = UnixListener::bind(&socket).unwrap();
    let mut session = connect(&socket);
    session.wait_for("CONNECTING");
    session.wait_for("Connecting to unix:");
    drop(silent);
    std::fs::remove_file(&socket).unwrap();
    session.wait_for("LOST");
    session.wait_for("It is tried again in");
    let collector = Collector::start(&socket, 1);
    session.wait_for("LIVE");
    collector.see(vec![exec(1, 100, "first")]);
    session.press(b"6");
    session.wait_for("first[100]");
    session.press(b"q");
    assert!(session.end().success());
    collector.kill();
}

#[test]
fn a_collector_that_was_killed_is_missed_and_found_again() {
    let folder = tempdir().unwrap();
    let socket = socket(folder.path());
    let collector = Collector::start(&socket, 1);
    let mut session = connect(&socket);
    session.wait_for("LIVE");
    session.press(b"6");
    collector.see(vec![exec(100, 100, "before")]);
    session.wait_for("before[100]");
    collector.kill();
    session.wait_for("LOST");
    session.wait_for("before[100]");
    let collector = Collector::start(&socket, 150);
    session.wait_for("LIVE");
    collector.see(vec![exec(160, 101, "after")]);
    session.wait_for("after[101]");
    // What was known stays, and of the time between nothing is known, which the header says.
    session.wait_for("before[100]");
    session.wait_for("50s unseen");
    session.press(b"q");
    assert!(session.end().success());
    collector.kill();
}

#[test]
fn where_nothing_happens_nothing_is_written_until_something_does() {
    let folder = tempdir().unwrap();
    let socket = socket(folder.path());
    let collector = Collector::start(&socket, 1);
    let mut session = connect(&socket);
    session.wait_for("LIVE");
    collector.see(vec![exec(10, 100, "before")]);
    session.wait_for("host");
    // How long it has lived is another time in each frame.
    session.press(b"2d");
    session.wait_for("Process before[100]");
    collector.pass(40);
    session.wait_for("for 39s");
    session.wait_for("quiet since 00:00:10Z");
    let quiet = session.written.len();
    for second in 60..160 {
        collector.pass(second);
    }
    collector.see(vec![exec(200, 101, "after")]);
    session.wait_for("for 3m19s");
    session.wait_for("00:03:20Z");
    // A frame for what happened, and one more if it took so long that the collector was missed meanwhile.
    let frames = session.written[quiet..].windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count();
    assert!((1..=2).contains(&frames), "{frames} frames: {:?}", String::from_utf8_lossy(&session.written[quiet..]));
    // Who is gone is missed at once, however quiet it was.
    collector.pass(300);
    session.wait_for("quiet since 00:03:20Z");
    collector.kill();
    session.wait_for("LOST");
    session.wait_without("quiet");
    session.press(b"q");
    assert!(session.end().success());
}

#[test]
fn a_collector_that_does_not_even_say_what_time_it_is_is_no_quiet_node() {
    let folder = tempdir().unwrap();
    let socket = socket(folder.path());
    let collector = Collector::start(&socket, 1);
    let mut session = connect(&socket);
    collector.see(vec![exec(10, 100, "before")]);
    session.wait_for("no word since 00:00:10Z");
    collector.see(vec![exec(11, 101, "after")]);
    session.wait_without("no word");
    session.press(b"q");
    assert!(session.end().success());
    collector.kill();
}

#[test]
fn whoever_cannot_keep_up_sees_what_that_costs() {
    let folder = tempdir().unwrap();
    let socket = socket(folder.path());
    let collector = Collector::start(&socket, 1);
    let mut session = connect(&socket);
    session.wait_for("LIVE");
    session.press(b"7");
    session.wait_for("Lost  nothing");
    collector.see(noise(1, 10));
    session.wait_for("10 events");
    // For a while it does not read at all.
    session.signal(Signal::STOP);
    for second in 2..200 {
        collector.see(noise(second, 1_000));
    }
    session.signal(Signal::CONT);
    session.wait_for("this client was too slow");
    session.wait_without("Lost  nothing");
    session.wait_for("lost 1");
    // What is lost elsewhere has a line of its own, and so has what came without all of its words, and without a parent.
    collector.lose(LossCause::RingFull, 7);
    session.wait_for("           7  the kernel's ring buffer was full");
    collector.see(vec![exec(300, 100, "first"), exec(301, 101, "second")]);
    session.wait_for("           2  events with a text");
    session.wait_for("           2  times that a process was told of without its parent");
    session.press(b"q");
    assert!(session.end().success());
    collector.kill();
}
