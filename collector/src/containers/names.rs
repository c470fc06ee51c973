//! Between the sensor and the hub: who is new, and what is known of them.

use std::collections::VecDeque;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use lanner_core::event::{
    BootTime, ContainerId, ContainerInfo, Event, Exec, Header, Hook, HookLayer, HookState, Origin, Payload, ProcessKey,
    Task, Text,
};

use super::accounts;
use super::asker::{Asker, Question, Tell};
use super::bounded::{Bounded, MAX_REMEMBERED};
use super::digests::Digests;
use super::groupless::Groupless;
use super::place::{Place, Whose};
use super::runtime::{self, Way};
use crate::sensor::{Proc, innermost_container, outer_container};

/// Ways that are tried to tell whether there is one.
const MAX_FOUND: usize = 256;
/// What may wait for the thread, and for the hub. What does not find room is asked about the next time it is seen.
const QUEUE: usize = 4_096;
/// How long a container's first program may be waited for, in nanoseconds. It is the one whose start its names are told with:
/// what a runtime ran there before is gone by then, and belongs to nothing.
const BEGINS_WITHIN: u64 = 2_000_000_000;

/// Names for the containers of an event stream.
#[derive(Debug)]
pub struct Names {
    tells: SyncSender<Tell>,
    answers: Receiver<Box<ContainerInfo>>,
    containers: Bounded<ContainerId, State>,
    /// Answers about containers of which no program was seen yet.
    early: Bounded<ContainerId, Box<ContainerInfo>>,
    /// Who was seen in containers before any program of theirs, and until when that is waited for.
    made: VecDeque<(BootTime, ProcessKey, ContainerId)>,
    /// Control groups that runtimes make for containers in ways that no path tells: `/NAME`.
    groups: Bounded<Vec<u8>, ContainerId>,
    groupless: Groupless,
    proc: Option<Proc>,
    own_mnt: u32,
    /// Runtimes that were there from the start.
    found: Vec<(Place, Way)>,
    /// What users and groups are called.
    accounts: Option<accounts::Lists>,
    /// What the files hold that are run.
    digests: Option<Digests>,
}

/// What is known of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    /// The first program that was seen of it; `None` while it is only announced, or made.
    seen: Option<(ProcessKey, Origin)>,
    /// Whose it is, by who announced it or by where it was seen.
    whose: Whose,
    named: bool,
    /// The mount namespace of the runtime that announced it; 0 when none did. Who is still in it is on the way in.
    host: u32,
    /// What was told of it last, by its hash. It may be asked about twice: when it is announced, and when it is seen before
    /// that was answered.
    told: Option<u64>,
}

impl State {
    /// Whether this is another word than the last one; from now on it is the last.
    fn is_news(&mut self, info: &ContainerInfo) -> bool {
        let mut hasher = DefaultHasher::new();
        info.hash(&mut hasher);
        let told = Some(hasher.finish());
        std::mem::replace(&mut self.told, told) != told
    }
}

impl Names {
    /// Starts the thread that asks.
    ///
    /// # Errors
    /// No thread could be made.
    pub fn start() -> io::Result<Names> {
        let (tells, told) = sync_channel(QUEUE);
        let (answers, answered) = sync_channel(QUEUE);
        let asker = Asker::new(answers)?;
        thread::Builder::new().name("lanner-names".into()).spawn(move || asker.run(&told))?;
        let (accounts, digests) = (Some(accounts::Lists::start()?), Some(Digests::start()?));
        let mut names = Names { accounts, digests, ..Names::between(tells, answered) };
        if !names.proc.is_some_and(Proc::shows_machine) {
            // Runtimes may be out of sight; their sockets may have been given to the collector all the same.
            names.runtime(Place::own(), runtime::usual());
        }
        Ok(names)
    }

    fn between(tells: SyncSender<Tell>, answers: Receiver<Box<ContainerInfo>>) -> Names {
        let proc = Proc::open().ok();
        let own_mnt =
            fs::metadata("/proc/self/ns/mnt").ok().and_then(|file| u32::try_from(file.ino()).ok()).unwrap_or(0);
        Names {
            tells,
            answers,
            containers: Bounded::default(),
            early: Bounded::default(),
            made: VecDeque::new(),
            groups: Bounded::default(),
            groupless: Groupless::default(),
            proc,
            own_mnt,
            found: Vec::new(),
            accounts: None,
            digests: None,
        }
    }

    /// Looks through events, in their order, for runtimes and for containers that are new, and adds what came to be known
    /// of containers: right behind the first program of one whose name is known already, else at the end, as something that
    /// happened at `time`. A container whose control group only its runtime can tell from others is put into its event.
    pub fn look(&mut self, events: &mut Vec<Event>, time: BootTime) {
        let late = self.answers();
        let mut known = Vec::new();
        for (i, event) in events.iter_mut().enumerate() {
            let header = event.header;
            if let Some(accounts) = &mut self.accounts {
                accounts.watch(event);
            }
            if let Some(digests) = &mut self.digests {
                digests.watch(event);
            }
            let met = match &mut event.payload {
                Payload::Exec(exec) | Payload::Alive(exec) => {
                    self.place(&mut exec.task);
                    let whose = self.groupless.run(header.process, &mut exec.task, header.origin);
                    self.program(header.process, exec, header.origin);
                    self.sum(&header, exec);
                    if self.is_on_the_way(&exec.task, whose.as_ref()) {
                        self.wait_for_program(header.process, &exec.task, header.time);
                        None
                    } else {
                        self.inhabit(header.process, &exec.task);
                        self.meet(header.process, &exec.task, whose, header.origin)
                    }
                }
                Payload::Fork(fork) => {
                    self.place(&mut fork.task);
                    let whose = self.groupless.fork(header.process, fork.child, &mut fork.task);
                    self.made(fork.child, &fork.task, whose, header.time);
                    None
                }
                Payload::Exit(_) => {
                    self.groupless.exit(header.process);
                    None
                }
                _ => None,
            };
            if let Some((process, info)) = met {
                known.push((i + 1, named(process, header.origin, header.time, info)));
            }
        }
        for (at, event) in known.into_iter().rev() {
            events.insert(at, event);
        }
        let time = events.last().map_or(time, |event| event.header.time.max(time));
        let late = late.into_iter().chain(self.without_program(time));
        events.extend(late.map(|(process, origin, info)| named(process, origin, time, info)));
        if let Some(accounts) = &mut self.accounts {
            accounts.look(events, time);
        }
        if let Some(digests) = &mut self.digests {
            digests.look(events, time);
        }
    }

    /// A program in a container, whose users may have names of their own.
    fn inhabit(&mut self, key: ProcessKey, task: &Task) {
        let Some(mut accounts) = self.accounts.take() else { return };
        if let Some(container) = &task.context.container {
            accounts.meet(container, key, || self.place_of(key, task));
        }
        self.accounts = Some(accounts);
    }

    /// A program whose content may not be known.
    fn sum(&mut self, header: &Header, exec: &Exec) {
        let Some(mut digests) = self.digests.take() else { return };
        let whose = || Some((self.place_of(header.process, &exec.task)?, self.pid_of(header.process, &exec.task)));
        digests.meet(header, exec, whose);
        self.digests = Some(digests);
    }

    /// Answers about containers that were seen, with who showed them first. The others wait.
    fn answers(&mut self) -> Vec<(ProcessKey, Origin, Box<ContainerInfo>)> {
        let mut ready = Vec::new();
        for info in self.answers.try_iter().take(QUEUE) {
            // Forgotten since: there were too many.
            let Some(state) = self.containers.get_mut(&info.id) else { continue };
            state.named |= info.is_known();
            let seen = state.seen;
            match seen {
                Some((process, origin)) if state.is_news(&info) => ready.push((process, origin, info)),
                Some(_) => {}
                None => self.early.insert(info.id.clone(), info),
            }
        }
        ready
    }

    /// Whether containers can be named here, as of the events looked at so far.
    pub fn hook(&self) -> Hook {
        let reached = |(place, way): &(Place, Way)| {
            let Ok(root) = place.root() else { return false };
            match way {
                Way::Cri { socket } | Way::Containerd { socket, .. } => root.socket(socket).is_ok(),
                Way::Docker { socket, data } => {
                    root.socket(socket).is_ok() || root.read(&data.join("engine-id")).is_ok()
                }
                Way::Storage { folder } => root.read(&folder.join("containers.json")).is_ok(),
            }
        };
        // Where neither a runtime nor a container is, there is nothing to name.
        let needed = !self.found.is_empty() || !self.containers.is_empty();
        let state = if !needed || self.found.iter().any(reached) {
            HookState::Attached
        } else if self.found.is_empty() {
            HookState::Refused("there are containers, but no runtime was found among the processes".to_owned())
        } else {
            let mut places: Vec<String> = self.found.iter().map(|(_, way)| way.place()).collect();
            places.sort_unstable();
            places.dedup();
            HookState::Refused(format!("no container runtime answers at {}", places.join(", ")))
        };
        Hook {
            name: "container names".to_owned(),
            layer: HookLayer::Base,
            state,
            without: "names, images and pods of containers: only their ids are known".to_owned(),
        }
    }

    /// A control group that a runtime made for a container without any mark of its kind.
    fn place(&self, task: &mut Task) {
        if task.context.container.is_none()
            && let Some(id) = self.groups.get(task.context.cgroup.as_bytes())
        {
            task.context_mut().container = Some(id.clone());
        }
    }

    /// A process in a container that may have no program of its own yet. `whose` it is when its control group does not tell.
    fn made(&mut self, process: ProcessKey, task: &Task, whose: Option<Whose>, time: BootTime) {
        let Some(id) = task.context.container.as_ref().filter(|id| self.containers.get(*id).is_none()) else { return };
        let whose = whose.unwrap_or_else(|| whose_is(&task.context.cgroup));
        if self.ask(Question { id: id.clone(), whose: whose.clone(), bundle: None, seen: true }) {
            self.containers.insert(id.clone(), State { seen: None, whose, named: false, host: 0, told: None });
            self.wait_for_program(process, task, time);
        }
    }

    /// Whether this is a runtime's own program still, that has a container's control group already and not yet its file
    /// system: what it would show of the container is the host's.
    fn is_on_the_way(&self, task: &Task, whose: Option<&Whose>) -> bool {
        let state = task.context.container.as_ref().and_then(|id| self.containers.get(id));
        let Some(state) = state.filter(|state| state.seen.is_none() && state.host != 0) else { return false };
        let announced = match whose {
            Some(whose) => state.whose.may_be(whose),
            None => state.whose.may_be(&whose_is(&task.context.cgroup)),
        };
        announced && state.host == task.context.namespaces.mnt
    }

    /// A container that is named after this process if no program begins in it.
    fn wait_for_program(&mut self, process: ProcessKey, task: &Task, time: BootTime) {
        let Some(id) = task.context.container.clone() else { return };
        if self.made.len() == MAX_REMEMBERED {
            self.made.pop_front();
        }
        self.made.push_back((BootTime(time.0.saturating_add(BEGINS_WITHIN)), process, id));
    }

    /// Containers whose program was waited for in vain: some are only made, or go on where they were frozen.
    fn without_program(&mut self, time: BootTime) -> Vec<(ProcessKey, Origin, Box<ContainerInfo>)> {
        let mut ready = Vec::new();
        while let Some((_, process, id)) = self.made.pop_front_if(|(until, ..)| *until <= time) {
            let Some(state) = self.containers.get_mut(&id).filter(|state| state.seen.is_none()) else { continue };
            state.seen = Some((process, Origin::Live));
            if let Some(info) = self.early.remove(&id) {
                state.is_news(&info);
                ready.push((process, Origin::Live, info));
            }
        }
        ready
    }

    /// Who shows a container first; gives what is known of it by then. `whose` it is when its control group does not tell.
    fn meet(
        &mut self,
        process: ProcessKey,
        task: &Task,
        whose: Option<Whose>,
        origin: Origin,
    ) -> Option<(ProcessKey, Box<ContainerInfo>)> {
        let id = task.context.container.as_ref()?;
        let state = self.containers.get(id);
        if state.is_some_and(|state| state.seen.is_some()) {
            return None;
        }
        let seen = Some((process, origin));
        let (named, host) = state.map_or((false, 0), |state| (state.named, state.host));
        let whose = whose.unwrap_or_else(|| whose_is(&task.context.cgroup));
        let announced = state.is_some_and(|state| state.whose.may_be(&whose));
        if let Some(info) = self.early.remove(id).filter(|_| announced) {
            let mut state = State { seen, whose, named, host, told: None };
            state.is_news(&info);
            self.containers.insert(id.clone(), state);
            return Some((process, info));
        }
        let question = Question { id: id.clone(), whose: whose.clone(), bundle: None, seen: true };
        if self.ask(question) {
            self.containers.insert(id.clone(), State { seen, whose, named, host, told: None });
        }
        None
    }

    /// A program that may be a runtime's.
    fn program(&mut self, key: ProcessKey, exec: &Exec, origin: Origin) {
        let Some(seen) = runtime::seen(&exec.image) else { return };
        let task = &exec.task;
        let Some(place) = self.place_of(key, task) else { return };
        if origin == Origin::Backfill {
            let room = MAX_FOUND.saturating_sub(self.found.len());
            self.found.extend(seen.ways.iter().map(|way| (place.clone(), way.clone())).take(room));
        }
        self.runtime(place.clone(), seen.ways);
        let Some((id, bundle)) = seen.container else { return };
        let whose = Whose { node: place.node.clone(), user: (place.owner != 0).then_some(place.owner) };
        if place.node.is_none() {
            for group in runtime::groups(&exec.image, &id, task.context.cgroup.as_bytes()) {
                if place.owner == 0 || user_of(&Text::from(group.as_slice())) == Some(place.owner) {
                    self.groups.insert(group, id.clone());
                }
            }
            self.groupless.supervise(key, task, &id, &whose);
        }
        if self.containers.get(&id).is_none() {
            let bundle = bundle.map(|folder| (place, folder));
            if self.ask(Question { id: id.clone(), whose: whose.clone(), bundle, seen: false }) {
                let host = task.context.namespaces.mnt;
                self.containers.insert(id, State { seen: None, whose, named: false, host, told: None });
            }
        }
    }

    /// Where a process lives; `None` when that cannot be reached from here.
    fn place_of(&self, key: ProcessKey, task: &Task) -> Option<Place> {
        let node = innermost_container(&task.context.cgroup);
        let owner = task.context.creds.euid;
        if task.context.namespaces.mnt != 0 && task.context.namespaces.mnt == self.own_mnt {
            return Some(Place { process: None, mnt: 0, node, owner });
        }
        Some(Place { process: Some((key, self.pid_of(key, task)?)), mnt: task.context.namespaces.mnt, node, owner })
    }

    /// Its pid here.
    fn pid_of(&self, key: ProcessKey, task: &Task) -> Option<u32> {
        let proc = self.proc?;
        if proc.shows_machine() {
            return Some(key.pid);
        }
        proc.pid_of(&[task.ns_pid], task.context.pid_namespaces.get(..1).unwrap_or_default())
    }

    fn runtime(&mut self, place: Place, ways: Vec<Way>) {
        if !ways.is_empty() {
            // Without room it is told again by the runtime's next process.
            let _ = self.tells.try_send(Tell::Runtime(place, ways));
        }
    }

    /// Whether the question could be put; when not, the next event of the container puts it again.
    fn ask(&mut self, question: Question) -> bool {
        !matches!(self.tells.try_send(Tell::Who(question)), Err(TrySendError::Full(_)))
    }
}

fn named(process: ProcessKey, origin: Origin, time: BootTime, info: Box<ContainerInfo>) -> Event {
    let header = Header { seq: 0, time, cpu: 0, process, tid: process.pid, origin, compat: false };
    Event { header, payload: Payload::Container(info) }
}

/// Whose a container in this control group is.
fn whose_is(cgroup: &Text) -> Whose {
    Whose { node: outer_container(cgroup), user: user_of(cgroup) }
}

/// The user in whose slice a control group lies: `/user.slice/user-1000.slice/...`; root may do so in anybody's.
fn user_of(cgroup: &Text) -> Option<u32> {
    cgroup.as_bytes().split(|b| *b == b'/').find_map(|part| {
        let uid = part.strip_prefix(b"user-")?.strip_suffix(b".slice")?;
        std::str::from_utf8(uid).ok()?.parse().ok().filter(|uid| *uid != 0)
    })
}

#[cfg(test)]
mod tests;
