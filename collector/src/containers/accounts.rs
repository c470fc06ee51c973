//! What users and groups are called: the node's own lists, and those of containers, as their `/etc/passwd` and `/etc/group`
//! have them. A thread reads them, for a container's file system may be slow, or never answer.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use lanner_core::event::{
    Account, Accounts, BootTime, ContainerId, Event, Header, MAX_ACCOUNTS, Origin, Payload, ProcessKey, Text,
};

use super::names::Bounded;
use super::place::Place;
use super::root::Root;
use crate::sensor::Proc;

/// What may wait for the thread, and for the hub. What does not find room is asked about the next time.
const QUEUE: usize = 256;
/// How often a container is asked about whose files cannot be read.
const MAX_TRIES: u8 = 4;
/// Longer names are cut: `useradd` makes none of more than 32 bytes.
const NAME_MAX: usize = 64;
/// After a list was changed, it is not asked again what has changed for so long, in nanoseconds.
const REST: u64 = 1_000_000_000;

const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// Whose lists are wanted, and who shows them.
#[derive(Debug)]
struct Question {
    container: Option<ContainerId>,
    place: Place,
    process: ProcessKey,
}

/// `None`: its files could not be read.
#[derive(Debug)]
struct Answer {
    container: Option<ContainerId>,
    process: ProcessKey,
    accounts: Option<Box<Accounts>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked(u8),
    Failed(u8),
    /// As of the change that had this number.
    Known(u64),
}

/// The lists of an event stream's node and containers.
#[derive(Debug)]
pub(super) struct Lists {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    states: Bounded<ContainerId, State>,
    /// How many times some list was seen to change, and when last.
    changes: u64,
    changed: BootTime,
    /// The node's own have been asked for since that.
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
        let (states, changed) = (Bounded::default(), BootTime::default());
        Ok(Lists { questions, answers, states, changes: 0, changed, own_asked: 0, own })
    }

    /// Adds the lists that came to be known, as something that happened at `time`: the node's own first of all.
    pub(super) fn look(&mut self, events: &mut Vec<Event>, time: BootTime) {
        if let Some(own) = self.own.take() {
            let time = events.first().map_or(time, |event| event.header.time);
            events.insert(0, told(ProcessKey::UNKNOWN, time, own));
        }
        if events.iter().any(|event| changes_a_list(&event.payload)) && self.changed.0 + REST <= time.0 {
            self.changes += 1;
            self.changed = time;
        }
        if self.own_asked != self.changes {
            let question = Question { container: None, place: Place::own(), process: ProcessKey::UNKNOWN };
            if self.questions.try_send(question).is_ok() {
                self.own_asked = self.changes;
            }
        }
        let time = events.last().map_or(time, |event| event.header.time.max(time));
        for answer in self.answers.try_iter().take(QUEUE) {
            if let Some(id) = &answer.container {
                let state = match (&answer.accounts, self.states.get(id)) {
                    (Some(_), _) => State::Known(self.changes),
                    (None, Some(State::Asked(tries))) => State::Failed(tries + 1),
                    (None, _) => State::Failed(1),
                };
                self.states.insert(id.clone(), state);
            }
            if let Some(accounts) = answer.accounts {
                events.push(told(answer.process, time, accounts));
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
        if self.questions.try_send(Question { container: Some(container.clone()), place, process }).is_ok() {
            self.states.insert(container.clone(), State::Asked(tries));
        }
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
    for Question { container, place, process } in questions {
        let root = if container.is_some() { place.root() } else { node() };
        let accounts = root.and_then(|root| read(&root, container.clone())).ok().map(Box::new);
        if answers.send(Answer { container, process, accounts }).is_err() {
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
