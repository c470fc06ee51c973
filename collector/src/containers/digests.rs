//! What the files hold that are run: their SHA-256, by which one asks elsewhere whether a program is known. A thread reads
//! them, with a quarter of a processor at most, each content once; it is told once for the node and for each container that
//! runs it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File as Opened;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use lanner_core::event::{
    BootTime, ContainerId, Digest, Event, Exec, File, FileId, Header, Origin, Payload, ProcessKey, Sha256, Text,
};
use sha2::Digest as _;

use super::bounded::Bounded;
use super::place::Place;
use crate::sensor::{Proc, used_by_thread};

/// What may wait for the thread, and for the hub. What does not find room is asked about when it is run again.
const QUEUE: usize = 1_024;
/// Longer files are not read.
const MAX_SIZE: u64 = 256 << 20;
/// Bytes that are read at a time.
const PART: usize = 128 << 10;
/// How often a file is asked about that cannot be read.
const MAX_TRIES: u8 = 4;
/// For so many times as long as a processor worked for it, the thread rests. How long it waited for one, or for a disk, does
/// not count: on a busy machine it would hardly read at all.
const REST: u32 = 3;

/// Which content is wanted, and who shows it.
#[derive(Debug)]
struct Question {
    file: File,
    /// When the image began that is made of it.
    since: BootTime,
    process: ProcessKey,
    /// Live: it may be gone soon.
    origin: Origin,
    container: Option<ContainerId>,
    /// It is the process's executable, which the kernel keeps from being written to; else its script.
    executable: bool,
    place: Place,
    /// Its pid here.
    pid: Option<u32>,
    /// When it was asked.
    turn: u64,
}

/// `None`: the file could not be read, or is another one now.
#[derive(Debug)]
struct Answer {
    question: Question,
    sha256: Option<Sha256>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In this turn, after so many that failed.
    Asked(u64, u8),
    Failed(u8),
    /// What was asked in this turn.
    Told(u64, Sha256),
}

/// The contents of an event stream's executables and scripts.
#[derive(Debug)]
pub(super) struct Digests {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    states: Bounded<FileId, State>,
    /// In which containers (`None`: outside of any) a file was told of, and the turn whose answer it was.
    told_in: Bounded<(FileId, Option<ContainerId>), u64>,
    /// What is known already, and was run where it was not told yet.
    again: Vec<(ProcessKey, Digest)>,
    turn: u64,
}

impl Digests {
    /// Starts the thread that reads.
    pub(super) fn start() -> io::Result<Digests> {
        let (questions, asked) = sync_channel(QUEUE);
        let (answer, answers) = sync_channel(QUEUE);
        thread::Builder::new().name("lanner-digests".into()).spawn(move || answer_all(&asked, &answer))?;
        let (states, told_in) = (Bounded::default(), Bounded::default());
        Ok(Digests { questions, answers, states, told_in, again: Vec::new(), turn: 0 })
    }

    /// Looks whether an event changes what a file holds.
    pub(super) fn watch(&mut self, event: &Event) {
        let written = match &event.payload {
            Payload::Open(open) if open.access.write => open.file.id,
            Payload::Attribute(attribute) => attribute.file.id,
            _ => return,
        };
        self.states.remove(&written);
    }

    /// A program that was run.
    pub(super) fn meet(&mut self, header: &Header, exec: &Exec, whose: impl FnOnce() -> Option<(Place, Option<u32>)>) {
        let files = [(Some(&exec.image.exe), true), (exec.image.script.as_ref(), false)];
        files.iter().filter_map(|(file, _)| *file).for_each(|file| self.tell_again(header, exec, file));
        if !files.iter().any(|(file, _)| file.is_some_and(|file| self.tries(file).is_some())) {
            return;
        }
        let Some((place, pid)) = whose() else { return };
        for (file, executable) in files.into_iter().filter_map(|(file, executable)| Some((file?, executable))) {
            let Some(tries) = self.tries(file) else { continue };
            self.turn += 1;
            let question = Question {
                file: file.clone(),
                since: header.time,
                process: header.process,
                origin: header.origin,
                container: exec.task.context.container.clone(),
                executable,
                place: place.clone(),
                pid,
                turn: self.turn,
            };
            if self.questions.try_send(question).is_ok() {
                self.states.insert(file.id, State::Asked(self.turn, tries));
            }
        }
    }

    /// A file that is known may be run in a container of which only those ask that look at nothing else.
    fn tell_again(&mut self, header: &Header, exec: &Exec, file: &File) {
        let Some(State::Told(turn, sha256)) = self.states.get(&file.id).copied() else { return };
        let place = (file.id, exec.task.context.container.clone());
        if self.told_in.get(&place) != Some(&turn) && self.again.len() < QUEUE {
            self.told_in.insert(place, turn);
            self.again.push((header.process, Digest { file: file.clone(), since: header.time, sha256 }));
        }
    }

    /// How often a file was asked for in vain, when it is to be asked for.
    fn tries(&self, file: &File) -> Option<u8> {
        match self.states.get(&file.id) {
            _ if !file.id.is_known() => None,
            None => Some(0),
            Some(State::Failed(tries)) => (*tries < MAX_TRIES).then_some(*tries),
            Some(State::Asked(..) | State::Told(..)) => None,
        }
    }

    /// Adds what came to be known, as something that happened at `time`.
    pub(super) fn look(&mut self, events: &mut Vec<Event>, time: BootTime) {
        for Answer { question, sha256 } in self.answers.try_iter().take(QUEUE) {
            let id = question.file.id;
            // It was written to since, or is asked about anew: nobody knows which content was read.
            let Some(State::Asked(turn, tries)) = self.states.get(&id).copied() else { continue };
            if turn != question.turn {
                continue;
            }
            let Some(sha256) = sha256 else {
                self.states.insert(id, State::Failed(tries + 1));
                continue;
            };
            self.states.insert(id, State::Told(turn, sha256));
            self.told_in.insert((id, question.container), turn);
            let digest = Digest { file: question.file, since: question.since, sha256 };
            events.push(event(question.process, digest, time));
        }
        events.extend(self.again.drain(..).map(|(process, digest)| event(process, digest, time)));
    }
}

fn event(process: ProcessKey, digest: Digest, time: BootTime) -> Event {
    let header = Header { seq: 0, time, cpu: 0, process, tid: process.pid, origin: Origin::Backfill, compat: false };
    Event { header, payload: Payload::Digest(Box::new(digest)) }
}

/// What the thread was asked and has not read yet.
#[derive(Debug, Default)]
struct Waiting {
    live: VecDeque<Question>,
    /// What ran before the sensor: some of it for long, and most of it goes on.
    found: VecDeque<Question>,
}

impl Waiting {
    fn add(&mut self, question: Question) {
        let queue = if question.origin == Origin::Live { &mut self.live } else { &mut self.found };
        queue.push_back(question);
    }

    /// The next one to read, when there is one or comes one; `None`: nobody asks any more.
    fn next(&mut self, questions: &Receiver<Question>) -> Option<Question> {
        let room = QUEUE.saturating_sub(self.live.len() + self.found.len());
        questions.try_iter().take(room).for_each(|question| self.add(question));
        self.live.pop_front().or_else(|| self.found.pop_front()).or_else(|| questions.recv().ok())
    }
}

fn answer_all(questions: &Receiver<Question>, answers: &SyncSender<Answer>) {
    let mut waiting = Waiting::default();
    while let Some(question) = waiting.next(questions) {
        let before = used_by_thread();
        let sha256 = open(&question).and_then(|file| digest(&file)).ok();
        if answers.send(Answer { question, sha256 }).is_err() {
            return;
        }
        thread::sleep(used_by_thread().saturating_sub(before) * REST);
    }
}

/// The very file: an executable as long as its process lives, else what has its name, if it is still the same.
fn open(question: &Question) -> io::Result<Opened> {
    if question.executable
        && let Some(pid) = question.pid
        && let Ok(file) = running(pid)
        // Asked after: the pid was this process's when the file was opened. It may run another by now.
        && Proc::is_process(pid, question.process.start)
        && file.metadata()?.ino() == question.file.id.ino
    {
        return Ok(file);
    }
    let file = question.place.root()?.file(path(&question.file.path)?)?;
    let found = file.metadata()?;
    if id_of(&found) == question.file.id { Ok(file) } else { Err(io::Error::other("it is another file now")) }
}

fn running(pid: u32) -> io::Result<Opened> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    Opened::options().read(true).custom_flags(flags.bits().cast_signed()).open(format!("/proc/{pid}/exe"))
}

fn path(text: &Text) -> io::Result<&Path> {
    let path = Path::new(OsStr::from_bytes(text.as_bytes()));
    if path.is_absolute() { Ok(path) } else { Err(io::Error::other("its path is not whole")) }
}

fn id_of(found: &std::fs::Metadata) -> FileId {
    let (major, minor) = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
    FileId { dev: u64::from(major) << 20 | u64::from(minor), ino: found.ino() }
}

/// The sum of what a file holds.
fn digest(file: &Opened) -> io::Result<Sha256> {
    let found = file.metadata()?;
    if !found.is_file() || found.len() > MAX_SIZE {
        return Err(io::Error::other("it is no file, or too long"));
    }
    let (mut sum, mut size, mut part) = (sha2::Sha256::new(), 0, vec![0; PART]);
    // It may grow meanwhile.
    let mut file = file.take(MAX_SIZE + 1);
    loop {
        match file.read(&mut part)? {
            0 => break,
            read => {
                sum.update(&part[..read]);
                size += read as u64;
            }
        }
    }
    if size > MAX_SIZE { Err(io::Error::other("it is too long")) } else { Ok(Sha256(sum.finalize().into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_once_and_again_after_it_was_written_to() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = dir.path().join("tool");
        std::fs::write(&at, "abc").expect("written");
        let id = id_of(&std::fs::metadata(&at).expect("there"));
        let exe = File::new(at.to_str().expect("text"), id.dev, id.ino);
        let mut exec = Exec { task: lanner_core::event::Task::default(), image: lanner_core::event::Image::default() };
        exec.image.exe = exe.clone();
        // Nobody has this pid: the file is found by its name.
        let process = ProcessKey::new(u32::MAX, 1);
        let header = Header { seq: 0, time: BootTime(5), cpu: 0, process, tid: 1, origin: Origin::Live, compat: false };
        let mut digests = Digests::start().expect("started");
        let (mut told, mut told_after) = (Vec::new(), Vec::new());
        let mut wait_for = |digests: &mut Digests, count: usize| {
            while told.len() < count {
                digests.look(&mut told, BootTime(9));
                thread::yield_now();
            }
            match told.last().map(|event: &Event| (&event.header, &event.payload)) {
                Some((header, Payload::Digest(digest))) => (header.time, header.process, digest.as_ref().clone()),
                other => panic!("a digest: {other:?}"),
            }
        };
        digests.meet(&header, &exec, || Some((Place::own(), None)));
        digests.meet(&header, &exec, || panic!("it is known already"));
        let (time, whose, digest) = wait_for(&mut digests, 1);
        assert_eq!((time, whose, digest.since), (BootTime(9), process, BootTime(5)));
        assert_eq!(digest.file, exe);
        // FIPS 180-2, appendix B.1.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.sha256.to_string(), abc);

        // In a container it is told again, once, and not read again.
        exec.task.context_mut().container = Some(ContainerId("0123456789ab".into()));
        digests.meet(&header, &exec, || panic!("it is known already"));
        digests.meet(&header, &exec, || panic!("it is known already"));
        assert_eq!(wait_for(&mut digests, 2), (time, whose, digest));
        digests.look(&mut told_after, BootTime(9));
        assert_eq!(told_after, []);

        let access = lanner_core::event::Access { read: false, write: true };
        std::fs::write(&at, "abcd").expect("written");
        let open = lanner_core::event::Open {
            file: exe,
            fd: 3,
            access,
            created: false,
            written_before: false,
            directory: false,
            through: lanner_core::event::Through::Call,
            passed: None,
        };
        digests.watch(&Event { header, payload: Payload::Open(Box::new(open)) });
        digests.meet(&header, &exec, || Some((Place::own(), None)));
        let (_, _, digest) = wait_for(&mut digests, 3);
        assert_ne!(digest.sha256.to_string(), abc);
    }

    #[test]
    fn what_is_run_now_is_read_before_what_was_found() {
        let question = |turn, origin| Question {
            file: File::default(),
            since: BootTime(0),
            process: ProcessKey::UNKNOWN,
            origin,
            container: None,
            executable: true,
            place: Place::own(),
            pid: None,
            turn,
        };
        let (ask, asked) = sync_channel(QUEUE);
        for (turn, origin) in [(1, Origin::Backfill), (2, Origin::Backfill), (3, Origin::Live), (4, Origin::Live)] {
            ask.try_send(question(turn, origin)).expect("there is room");
        }
        let mut waiting = Waiting::default();
        let mut next = || waiting.next(&asked).map(|question| question.turn);
        assert_eq!([next(), next(), next()], [Some(3), Some(4), Some(1)]);
        ask.try_send(question(5, Origin::Live)).expect("there is room");
        drop(ask);
        assert_eq!([next(), next(), next()], [Some(5), Some(2), None]);
    }

    #[test]
    fn another_file_of_the_same_name_is_not_taken_for_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = dir.path().join("tool");
        std::fs::write(&at, "abc").expect("written");
        let id = id_of(&std::fs::metadata(&at).expect("there"));
        let question = |ino| Question {
            file: File::new(at.to_str().expect("text"), id.dev, ino),
            since: BootTime(0),
            process: ProcessKey::new(u32::MAX, 1),
            origin: Origin::Live,
            container: None,
            executable: false,
            place: Place::own(),
            pid: None,
            turn: 1,
        };
        assert!(open(&question(id.ino)).is_ok());
        assert!(open(&question(id.ino + 1)).is_err());
    }
}
