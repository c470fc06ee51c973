//! A source that does what a test tells it, and other things that tests need.

#![allow(dead_code)] // Not every test needs all of it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use lanner_collector::hub::{Hub, Limits, Next, Polled, Source, SourceError, Subscription};
use lanner_core::event::*;

/// Long enough for the slowest machine; no test waits for it in vain.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What a script's source does when it is looked at.
pub(crate) enum Step {
    Give(Vec<Event>, Polled),
    Fail(&'static str),
    Panic,
}

/// The hand that moves a [`Scripted`] source.
pub(crate) struct Script(Sender<Step>);

/// The source.
pub(crate) struct Scripted(Mutex<Receiver<Step>>);

pub(crate) fn script() -> (Script, Scripted) {
    let (sender, receiver) = channel();
    (Script(sender), Scripted(Mutex::new(receiver)))
}

pub(crate) fn node() -> NodeInfo {
    NodeInfo { name: "scripted".into(), boot_id: "b".into(), ..NodeInfo::default() }
}

pub(crate) fn hub(limits: Limits) -> (Script, Hub) {
    let (script, source) = script();
    (script, Hub::start(source, node(), limits).expect("threads can be made"))
}

impl Script {
    pub(crate) fn step(&self, step: Step) {
        self.0.send(step).expect("the source lives");
    }

    pub(crate) fn give(&self, events: Vec<Event>) {
        let now = events.last().map_or(BootTime(0), |event| event.header.time);
        self.step(Step::Give(events, Polled { now, losses: Vec::new() }));
    }

    pub(crate) fn lose(&self, cause: LossCause, count: u64) {
        self.step(Step::Give(Vec::new(), Polled { now: BootTime(0), losses: vec![Loss { cause, count }] }));
    }
}

impl Source for Scripted {
    fn poll(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        let mut all = Polled::default();
        for step in self.0.lock().expect("only the hub's thread locks").try_iter() {
            match step {
                Step::Give(given, polled) => {
                    events.extend(given);
                    all.now = all.now.max(polled.now);
                    all.losses.extend(polled.losses);
                }
                Step::Fail(why) => return Err(why.into()),
                Step::Panic => panic!("as the test wants it"),
            }
        }
        Ok(all)
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<Polled, SourceError> {
        self.poll(events)
    }
}

pub(crate) fn event(time: u64, process: ProcessKey, payload: Payload) -> Event {
    // The hub is to number it.
    let header = Header {
        seq: 999_999,
        time: BootTime(time),
        cpu: 0,
        process,
        tid: process.pid,
        origin: Origin::Live,
        compat: false,
    };
    Event { header, payload }
}

pub(crate) fn exec(time: u64, pid: u32, exe: &str) -> Event {
    let image = Image { exe: File::new(exe, 1, 1), ..Image::default() };
    let task = Task { comm: Text::from(Text::from(exe).file_name()), ..Task::default() };
    event(time, ProcessKey::new(pid, u64::from(pid)), Payload::Exec(Box::new(Exec { task, image })))
}

pub(crate) fn fork(time: u64, parent: u32, child: u32) -> Event {
    let parent = ProcessKey::new(parent, u64::from(parent));
    let task = Task { parent: Some(parent), ..Task::default() };
    let child = ProcessKey::new(child, u64::from(child));
    event(time, parent, Payload::Fork(Box::new(Fork { child, how: CloneFlags::default(), task })))
}

pub(crate) fn exit(time: u64, pid: u32) -> Event {
    event(time, ProcessKey::new(pid, u64::from(pid)), Payload::Exit(Exit { code: 0, signal: 0 }))
}

/// `n` events that change nothing in the graph, at these times and the ones after.
pub(crate) fn noise(from: u64, n: u64) -> Vec<Event> {
    let listen = Listen { local: "127.0.0.1:80".parse().expect("an address"), netns: 0 };
    (from..from + n).map(|time| event(time, ProcessKey::UNKNOWN, Payload::Listen(listen))).collect()
}

/// Everything until the subscription ends.
pub(crate) fn rest(subscription: &mut Subscription) -> Vec<Batch> {
    let mut batches = Vec::new();
    loop {
        match subscription.wait(LONG) {
            Next::Batch(batch) => batches.push((*batch).clone()),
            Next::Ended(None) => return batches,
            other => panic!("after {} batches: {other:?}", batches.len()),
        }
    }
}

/// Batches until event `seq` is among them.
pub(crate) fn until(subscription: &mut Subscription, seq: u64) -> Vec<Batch> {
    let mut batches = Vec::new();
    loop {
        match subscription.wait(LONG) {
            Next::Batch(batch) => batches.push((*batch).clone()),
            other => panic!("while waiting for event {seq}: {other:?}"),
        }
        if news(&batches).last().is_some_and(|last| *last >= seq) {
            return batches;
        }
    }
}

/// The numbers of the events that are no snapshot's.
pub(crate) fn news(batches: &[Batch]) -> Vec<u64> {
    batches.iter().filter(|b| !b.snapshot).flat_map(|b| &b.events).map(|e| e.header.seq).collect()
}

/// How many events were lost for this cause.
pub(crate) fn lost(batches: &[Batch], cause: LossCause) -> u64 {
    batches.iter().flat_map(|b| &b.losses).filter(|l| l.cause == cause).map(|l| l.count).sum()
}

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lanner-test-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the temporary folder can be written to");
        Folder(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        Path::join(&self.0, name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
