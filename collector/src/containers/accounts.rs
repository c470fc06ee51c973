//! What users and groups are called: the node's own lists, and those of containers, as their `/etc/passwd` and `/etc/group`
//! have them. A thread reads them, for a container's file system may be slow, or never answer.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use lanner_core::event::{
    Account, Accounts, BootTime, ContainerId, Event, Header, MAX_ACCOUNTS, Origin, Payload, ProcessKey, Text,
};

use super::bounded::Bounded;
use super::place::Place;
use super::root::Root;
use crate::sensor::Proc;

/// What may wait for the thread, and for the hub. What does not find room is asked about the next time.
const QUEUE: usize = 256;
/// How often a container is asked about whose files cannot be read.
const MAX_TRIES: u8 = 4;
/// Longer names are cut: `useradd` makes none of more than 32 bytes.
const NAME_MAX: usize = 64;
/// After a list was changed, further changes are not counted for so long, in nanoseconds.
const REST: u64 = 1_000_000_000;

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// Whose lists are wanted, and who shows them.
#[derive(Debug, Clone)]
struct Question {
    container: Option<ContainerId>,
    place: Place,
    process: ProcessKey,
    /// How many changes had been seen.
    changes: u64,
}

/// `None`: the files could not be read.
#[derive(Debug)]
struct Answer {
    question: Question,
    accounts: Option<Box<Accounts>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked(u8),
    Failed(u8),
    /// As of so many changes.
    Known(u64),
}

/// The lists of an event stream's node and containers.
#[derive(Debug)]
pub(super) struct Lists {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    states: Bounded<ContainerId, State>,
    /// How many times some list was seen to change, and when last. Whose it was is not known: all are asked for again, as
    /// soon as a program runs there.
    changes: u64,
    changed: BootTime,
    /// One has changed that is not counted yet.
    changing: bool,
    /// The node's own were asked for after so many changes.
    own_asked: u64,
    /// The node's own, until they are told.
    own: Option<Box<Accounts>>,
}

impl Lists {
    /// Reads the node's lists, and starts the thread for all others.
    pub(super) fn start() -> io::Result<Lists> {
        let (questions, asked) = sync_channel(QUEUE);
        let (answer, answers) = sync_channel(QUEUE);
        thread::Builder::new().name("lanner-accounts".into()).spawn(move || answer_all(&asked, &answer))?;
        let own = node().and_then(|root| read(&root, None)).ok().map(Box::new);
        let (states, changed, changing) = (Bounded::default(), BootTime::default(), false);
        Ok(Lists { questions, answers, states, changes: 0, changed, changing, own_asked: 0, own })
    }

    /// Looks whether an event changes a list.
    pub(super) fn watch(&mut self, event: &Event) {
        self.changing |= changes_a_list(&event.payload);
        self.count(event.header.time);
    }

    fn count(&mut self, now: BootTime) {
        if self.changing && now.0.saturating_sub(self.changed.0) >= REST {
            (self.changing, self.changed) = (false, now);
            self.changes += 1;
        }
    }

    /// Adds the lists that came to be known, as something that happened at `time`: the node's own first of all.
    pub(super) fn look(&mut self, events: &mut Vec<Event>, time: BootTime) {
        if let Some(own) = self.own.take() {
            let time = events.first().map_or(time, |event| event.header.time);
            events.insert(0, told(ProcessKey::UNKNOWN, time, own));
        }
        let time = events.last().map_or(time, |event| event.header.time.max(time));
        self.count(time);
        if self.own_asked != self.changes && self.ask(None, Place::own(), ProcessKey::UNKNOWN) {
            self.own_asked = self.changes;
        }
        let answers: Vec<Answer> = self.answers.try_iter().take(QUEUE).collect();
        for Answer { question, accounts } in answers {
            if let Some(id) = &question.container {
                let tries = match self.states.get(id) {
                    Some(State::Asked(tries)) => *tries,
                    _ => 0,
                };
                let state = if accounts.is_some() { State::Known(question.changes) } else { State::Failed(tries + 1) };
                self.states.insert(id.clone(), state);
                // Something changed while it was read.
                if accounts.is_some() && question.changes != self.changes {
                    self.meet(id, question.process, || Some(question.place.clone()));
                }
            }
            if let Some(accounts) = accounts {
                events.push(told(question.process, time, accounts));
            }
        }
    }

    /// A program that was run in a container, whose file system is that of `place`.
    pub(super) fn meet(&mut self, container: &ContainerId, process: ProcessKey, place: impl FnOnce() -> Option<Place>) {
        let tries = match self.states.get(container) {
            None => 0,
            Some(State::Failed(tries)) if *tries < MAX_TRIES => *tries,
            Some(State::Known(at)) if *at != self.changes => 0,
            _ => return,
        };
        // The collector's own file system is the node's.
        let Some(place) = place().filter(|place| place.process.is_some()) else { return };
        if self.ask(Some(container), place, process) {
            self.states.insert(container.clone(), State::Asked(tries));
        }
    }

    fn ask(&self, container: Option<&ContainerId>, place: Place, process: ProcessKey) -> bool {
        let question = Question { container: container.cloned(), place, process, changes: self.changes };
        self.questions.try_send(question).is_ok()
    }
}

/// Whether one of the files is written, or another one gets its name.
fn changes_a_list(payload: &Payload) -> bool {
    let path = match payload {
        Payload::Open(open) if open.access.write => &open.file.path,
        Payload::Rename(rename) => &rename.file.path,
        _ => return false,
    };
    [USERS, GROUPS].iter().any(|name| path == name)
}

fn told(process: ProcessKey, time: BootTime, accounts: Box<Accounts>) -> Event {
    let header = Header { seq: 0, time, cpu: 0, process, tid: process.pid, origin: Origin::Backfill, compat: false };
    Event { header, payload: Payload::Accounts(accounts) }
}

fn answer_all(questions: &Receiver<Question>, answers: &SyncSender<Answer>) {
    for question in questions {
        let root = if question.container.is_some() { question.place.root() } else { node() };
        let accounts = root.and_then(|root| read(&root, question.container.clone())).ok().map(Box::new);
        if answers.send(Answer { question, accounts }).is_err() {
            return;
        }
    }
}

/// The node's file system: that of its first process, where that can be seen.
fn node() -> io::Result<Root> {
    let shown = Proc::open().is_ok_and(Proc::shows_machine);
    match shown.then(|| Root::of(Some(1))) {
        Some(Ok(root)) => Ok(root),
        _ => Root::of(None),
    }
}

/// Reads the lists; a missing one is empty, as long as the other is there.
fn read(root: &Root, container: Option<ContainerId>) -> io::Result<Accounts> {
    let (users, groups) = (root.read(Path::new(USERS)), root.read(Path::new(GROUPS)));
    if let (Err(error), Err(_)) = (&users, &groups) {
        return Err(io::Error::new(error.kind(), error.to_string()));
    }
    let mut cut = false;
    let mut list = |file: io::Result<Vec<u8>>| file.map(|bytes| accounts(&bytes, &mut cut)).unwrap_or_default();
    let (users, groups) = (list(users), list(groups));
    Ok(Accounts { container, users, groups, cut })
}

/// The names and numbers of lines such as `lp:x:7:7:...`; of several with one number the first counts, as everywhere.
fn accounts(file: &[u8], cut: &mut bool) -> Vec<Account> {
    let account = |line: &[u8]| {
        let mut parts = line.split(|b| *b == b':');
        let name = parts.next().filter(|name| !name.is_empty())?;
        let id = std::str::from_utf8(parts.nth(1)?).ok()?.parse().ok()?;
        Some(Account { id, name: Text::from(&name[..name.len().min(NAME_MAX)]) })
    };
    let mut all: Vec<Account> = file.split(|b| *b == b'\n').filter_map(account).take(MAX_ACCOUNTS + 1).collect();
    *cut |= all.len() > MAX_ACCOUNTS;
    all.truncate(MAX_ACCOUNTS);
    all.sort_by_key(|account| account.id);
    all.dedup_by_key(|account| account.id);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_are_passed_over() {
        let file =
            b"root:x:0:0::/:/bin/sh\n+::::::\n:x:3:3::\nlp:x:7:7::/:\nbin:x:2:\n\xff:x:-1:\nlp2:x:7:7::\nshort:x\n";
        let mut cut = false;
        let list = accounts(file, &mut cut);
        let shown: Vec<String> = list.iter().map(|account| format!("{}={}", account.id, account.name)).collect();
        assert_eq!((shown.join(" ").as_str(), cut), ("0=root 2=bin 7=lp", false));
    }

    #[test]
    fn lists_have_bounds() {
        let line = |n: usize| format!("{}:x:{n}:\n", "n".repeat(200));
        let file: String = (0..=MAX_ACCOUNTS).rev().map(line).collect();
        let mut cut = false;
        let list = accounts(file.as_bytes(), &mut cut);
        assert!(cut && list.len() == MAX_ACCOUNTS && list.is_sorted_by_key(|account| account.id));
        assert!(list.iter().all(|account| account.name.as_bytes().len() == NAME_MAX));
    }
}
