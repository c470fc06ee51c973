//! The thread that asks runtimes. It sleeps until there is somebody to ask about; a runtime that fails is left alone for a
//! while.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use lanner_core::event::{ContainerId, ContainerInfo};
use tokio::runtime::Runtime;

use super::place::{Place, Whose};
use super::rpc::{Line, Silent};
use super::runtime::Way;
use super::{bundle, containerd, cri, docker, storage};

/// When it is asked about a container, after it became known: names may come later than processes.
const AFTER: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
];
/// After so many times without an answer it is said that there is none.
const SAID_AFTER: usize = 4;
/// A runtime that fails is left alone for this long, and ever longer.
const FIRST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Containers that are asked about at one time, and runtimes that are known. What is more is not asked about, and the
/// answer says so.
const MAX_OPEN: usize = 4_096;
const MAX_WAYS: usize = 64;
/// Processes that one way is known by.
const MAX_PLACES: usize = 8;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Tell {
    /// There is a runtime.
    Runtime(Place, Vec<Way>),
    /// Who is this?
    Who(Question),
}

/// A container that nobody has named yet.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: ContainerId,
    pub(super) whose: Whose,
    /// Its specification's folder, and where that is.
    pub(super) bundle: Option<(Place, PathBuf)>,
    /// Something of it was seen: it is to be said when nobody knows it.
    pub(super) seen: bool,
}

impl Question {
    fn specification(&self) -> Option<ContainerInfo> {
        let (place, folder) = self.bundle.as_ref().filter(|(place, _)| place.may_speak_for(&self.whose))?;
        bundle::read(&self.id, &place.root().ok()?.read(&folder.join("config.json")).ok()?)
    }
}

/// A way, and what came of it so far.
#[derive(Debug)]
struct Known {
    way: Way,
    /// Processes through which it can be gone: any of the same mount namespace will do.
    places: Vec<Place>,
    rest_until: Option<Instant>,
    rest: Duration,
    why: String,
}

#[derive(Debug)]
struct Open {
    question: Question,
    begun: Instant,
    asked: usize,
    /// What its specification tells, which is told when nobody tells more.
    specified: Option<ContainerInfo>,
}

impl Open {
    fn due(&self) -> Instant {
        self.begun + AFTER[self.asked.min(AFTER.len() - 1)]
    }
}

/// Asks.
#[derive(Debug)]
pub(super) struct Asker {
    runtime: Runtime,
    ways: Vec<Known>,
    open: HashMap<ContainerId, Open>,
    answers: SyncSender<Box<ContainerInfo>>,
}

impl Asker {
    pub(super) fn new(answers: SyncSender<Box<ContainerInfo>>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Asker { runtime, ways: Vec::new(), open: HashMap::new(), answers })
    }

    /// Works until nobody tells or listens any more.
    pub(super) fn run(mut self, tells: &Receiver<Tell>) {
        loop {
            let due = self.open.values().map(Open::due).min();
            let first = match due {
                None => tells.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => tells.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(tell) => self.take(tell),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(tell) = tells.try_recv() {
                self.take(tell);
            }
            let now = Instant::now();
            let due: Vec<ContainerId> =
                self.open.values().filter(|open| open.due() <= now).map(|open| open.question.id.clone()).collect();
            for id in due {
                if self.ask(&id).is_err() {
                    return;
                }
                // A runtime that has just appeared may know the next one.
                while let Ok(tell) = tells.try_recv() {
                    self.take(tell);
                }
            }
        }
    }

    fn take(&mut self, tell: Tell) {
        match tell {
            Tell::Runtime(place, ways) => ways.into_iter().for_each(|way| self.learn(&place, way)),
            Tell::Who(question) => self.open(question),
        }
    }

    fn learn(&mut self, place: &Place, way: Way) {
        let same = |known: &&mut Known| {
            let there = &known.places[0];
            known.way == way && (there.mnt, &there.node, there.owner) == (place.mnt, &place.node, place.owner)
        };
        if let Some(known) = self.ways.iter_mut().find(same) {
            if known.places.len() >= MAX_PLACES {
                known.places.retain(|place| !place.is_gone());
            }
            if known.places.len() < MAX_PLACES && !known.places.contains(place) {
                known.places.push(place.clone());
                // It may have come back.
                known.rest_until = None;
            }
            return;
        }
        if self.ways.len() >= MAX_WAYS {
            self.ways.retain(|known| known.places.iter().any(|place| !place.is_gone()));
        }
        if self.ways.len() < MAX_WAYS {
            let known =
                Known { way, places: vec![place.clone()], rest_until: None, rest: FIRST_REST, why: String::new() };
            self.ways.push(known);
            self.ways.sort_by(|a, b| a.way.cmp(&b.way));
        }
    }

    fn open(&mut self, question: Question) {
        if let Some(open) = self.open.get_mut(&question.id) {
            open.question.seen |= question.seen;
            if question.seen {
                // Where it is tells better whose it is than who announced it.
                open.question.whose = question.whose;
            }
            open.question.bundle = question.bundle.or(open.question.bundle.take());
            return;
        }
        if self.open.len() >= MAX_OPEN {
            let info = ContainerInfo::unknown(question.id, "too many containers were new at one time");
            // When nobody listens any more, the next answer finds out.
            let _ = self.answers.send(Box::new(info));
            return;
        }
        let open = Open { begun: Instant::now(), asked: 0, specified: None, question };
        self.open.insert(open.question.id.clone(), open);
    }

    /// Asks about one container; an error when nobody listens any more.
    fn ask(&mut self, id: &ContainerId) -> Result<(), ()> {
        let Some(mut open) = self.open.remove(id) else { return Ok(()) };
        open.asked += 1;
        let answer = self.find(&open.question);
        let known = answer.is_ok();
        let info = match answer {
            Ok(info) => Some(info),
            Err(why) => {
                // It may be gone the next time.
                open.specified = open.specified.or_else(|| open.question.specification());
                let unknown = || open.question.seen.then(|| ContainerInfo::unknown(id.clone(), &why));
                (open.asked == SAID_AFTER).then(|| open.specified.take().or_else(unknown)).flatten()
            }
        };
        if let Some(mut info) = info {
            info.node = open.question.whose.node.clone();
            self.answers.send(Box::new(info)).map_err(|_| ())?;
        }
        if !known && open.asked < AFTER.len() {
            self.open.insert(id.clone(), open);
        }
        Ok(())
    }

    /// What anybody knows of a container; the error says who was asked.
    fn find(&mut self, question: &Question) -> Result<ContainerInfo, String> {
        let mut asked: Vec<String> = Vec::new();
        let mut useless = Vec::new();
        for (i, known) in self.ways.iter_mut().enumerate() {
            if !known.places.iter().any(|place| place.may_speak_for(&question.whose)) {
                continue;
            }
            let place = known.way.place();
            if known.rest_until.is_some_and(|until| Instant::now() < until) {
                asked.push(format!("{place}: {}", known.why));
                continue;
            }
            match known.ask(&self.runtime, &question.id) {
                Ok(info) => return Ok(info),
                Err(Silent::Unknown) => {
                    known.rest = FIRST_REST;
                    asked.push(format!("{place} does not know it"));
                }
                Err(Silent::Foreign | Silent::Gone) => useless.push(i),
                Err(Silent::Failed(why)) => {
                    known.rest_until = Some(Instant::now() + known.rest);
                    known.rest = (known.rest * 2).min(LONGEST_REST);
                    asked.push(format!("{place}: {why}"));
                    known.why = why;
                }
            }
        }
        // Who does not speak a language will not learn it; who has ended is found again when it comes back.
        for i in useless.into_iter().rev() {
            self.ways.remove(i);
        }
        asked.dedup();
        Err(if asked.is_empty() {
            "no container runtime was found that could be asked".to_owned()
        } else {
            asked.join("; ")
        })
    }
}

impl Known {
    fn ask(&mut self, runtime: &Runtime, id: &ContainerId) -> Result<ContainerInfo, Silent> {
        let failed = |error: std::io::Error| Silent::Failed(error.to_string());
        let root = self.places.iter().find_map(|place| place.root().ok());
        let root = root.ok_or(Silent::Gone)?;
        match &self.way {
            Way::Cri { socket } => {
                let socket = root.socket(socket).map_err(failed)?;
                runtime.block_on(async { cri::ask(&Line::open(&socket, None).await?, id).await })
            }
            Way::Containerd { socket, namespace } => {
                let socket = root.socket(socket).map_err(failed)?;
                let namespace = Some(namespace.clone());
                runtime.block_on(async { containerd::ask(&Line::open(&socket, namespace).await?, id).await })
            }
            Way::Docker { socket, data } => match root.socket(socket).map_err(failed) {
                Ok(socket) => docker::ask(&socket, id),
                Err(_) => docker::read(&root, data, id),
            },
            Way::Storage { folder } => storage::ask(&root, folder, id),
        }
    }
}
