//! The picture at any kept event: the nearest snapshot before it, and the events from there on once more.
//!
//! Snapshots share with each other, and with the picture of now, whatever is the same, so that one costs what has changed
//! since the one before. They are taken every so many events, and every second goes, from then on too, whenever there is no
//! room for more. The first stands where the history begins, so that no kept event is out of reach; when there is no other it
//! goes along with the history.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use lanner_core::persistent::Stock;

use super::super::feed::Source;
use super::history::{Entry, History};
use super::picture::Picture;

/// Between snapshots, as long as there is room for all of them: what is taken in once more in a tenth of a second.
const APART: Distance = Distance { events: 32_768, weight: 32 << 20 };

/// Snapshots that are kept at most.
const MOST: usize = 256;

/// What all snapshots may take together beside the picture of now, in bytes: on a node that is watched, which has better to do
/// with its memory, and where a recording is looked at.
const ROOM_LIVE: usize = 192 << 20;
const ROOM_RECORDED: usize = 384 << 20;

/// What the snapshots of what comes from there may take, in bytes.
pub(crate) fn room(source: &Source) -> usize {
    match source {
        Source::Recording(..) => ROOM_RECORDED,
        Source::Live | Source::Remote(_) => ROOM_LIVE,
    }
}

/// Blocks that are unpacked ahead of what is taken in.
const AHEAD: usize = 4;

/// So many events, or so many bytes of them: large ones take longer.
#[derive(Clone, Copy)]
struct Distance {
    events: u64,
    weight: u64,
}

impl Distance {
    fn twice(self) -> Distance {
        Distance { events: self.events * 2, weight: self.weight * 2 }
    }

    fn lie_between(self, before: &Snapshot, end: u64, weight: u64) -> bool {
        end >= before.end + self.events || weight >= before.weight + self.weight
    }
}

struct Snapshot {
    /// The number of the event that comes next.
    end: u64,
    /// The weight of all events until then, in bytes.
    weight: u64,
    /// What it takes that the one after it does not share.
    takes: Stock,
    picture: Picture,
}

impl Snapshot {
    fn go_on_to(&mut self, end: u64, history: &History) {
        go_on(&mut self.picture, self.end..end, history);
        self.end = self.end.max(end);
    }
}

/// What changed in one stretch or in the next: where it changes is taken to be anybody's guess, so that of what changed in one
/// as much changed in the other as of all.
fn either(one: Stock, next: Stock) -> Stock {
    let both = (one.own as u128 * next.own as u128) / (next.whole as u128).max(1);
    let own = (one.own + next.own).saturating_sub(usize::try_from(both).unwrap_or(usize::MAX));
    Stock { own, ..next }
}

/// Takes in events once more. As far as they are packed, another thread unpacks them ahead of the engine, and takes them into
/// what the engine has no part in.
fn go_on(picture: &mut Picture, numbers: Range<u64>, history: &History) {
    let Picture { engine, tables } = &mut *picture;
    let done = thread::scope(|scope| {
        let (send, unpacked) = sync_channel(AHEAD);
        let asked = numbers.clone();
        // Without a thread the rest below does all of it.
        let unpacks = thread::Builder::new().name("unpack".to_owned()).spawn_scoped(scope, move || {
            for block in history.blocks(asked.clone()) {
                if send.send(block.clone()).is_err() {
                    return;
                }
                for entry in of_block(&block, &asked) {
                    tables.apply(&entry.event, &entry.signals, |_| (), |_| ());
                }
            }
        });
        let mut done = numbers.start;
        for block in unpacked.into_iter().take_while(|_| unpacks.is_ok()) {
            of_block(&block, &numbers).for_each(|entry| engine.apply_again(&entry.event, &entry.signals));
            done = done.max(block.0 + block.1.len() as u64);
        }
        done
    });
    for entry in (done..numbers.end).filter_map(|number| history.get(number)) {
        picture.apply_again(&entry.event, &entry.signals);
    }
}

/// Those entries of a block whose numbers are asked for.
fn of_block<'a>((first, entries): &'a (u64, Arc<[Entry]>), asked: &Range<u64>) -> impl Iterator<Item = &'a Entry> {
    let within = |number: u64| usize::try_from(number.saturating_sub(*first)).unwrap_or(usize::MAX).min(entries.len());
    entries[within(asked.start)..within(asked.end)].iter()
}

/// Snapshots of the past, and the picture at the moment that is looked at.
pub(crate) struct Past {
    /// Oldest first; there is always one.
    snapshots: VecDeque<Snapshot>,
    apart: Distance,
    room: usize,
    /// The moment that is looked at: the number of the event that comes next.
    seen: Option<(u64, Picture)>,
    /// Takes what is not needed any more: there may be so much in it that no frame should wait until it is gone.
    away: SyncSender<Picture>,
}

impl Past {
    /// Begins where nothing has happened yet; snapshots may take so many bytes.
    pub(crate) fn new(start: Picture, room: usize) -> Past {
        let first = Snapshot { end: 0, weight: 0, takes: Stock::default(), picture: start };
        let (away, gone) = sync_channel::<Picture>(MOST);
        // Without a thread it goes at once.
        let _ = thread::Builder::new().name("forget".to_owned()).spawn(move || gone.into_iter().for_each(drop));
        Past { snapshots: VecDeque::from([first]), apart: APART, room, seen: None, away }
    }

    fn put_away(&self, picture: Picture) {
        drop(self.away.try_send(picture));
    }

    /// Takes snapshots this far apart at first.
    #[cfg(test)]
    pub(crate) fn every(self, events: u64) -> Past {
        Past { apart: Distance { events, ..APART }, ..self }
    }

    /// How many snapshots there are.
    #[cfg(test)]
    pub(crate) fn snapshots(&self) -> usize {
        self.snapshots.len()
    }

    /// Notes how things stand at the end of the history, if the last snapshot is far enough back.
    pub(crate) fn note(&mut self, history: &History, now: &mut Picture) {
        let (end, weight) = (history.end(), history.weight_so_far());
        if self.snapshots.back().is_some_and(|last| !self.apart.lie_between(last, end, weight)) {
            return;
        }
        let (picture, takes) = now.snapshot();
        self.snapshots.push_back(Snapshot { end, weight, takes, picture });
        while self.is_too_much() && self.snapshots.len() > 2 {
            self.thin_out();
        }
    }

    /// Doubles the distance between snapshots, and lets those go that are closer. The first stays, for the history begins
    /// there, and so does the last.
    fn thin_out(&mut self) {
        self.apart = self.apart.twice();
        let last = self.snapshots.len() - 1;
        let mut kept: VecDeque<Snapshot> = VecDeque::with_capacity(MOST);
        let mut gone = None;
        for (at, mut snapshot) in std::mem::take(&mut self.snapshots).into_iter().enumerate() {
            if let Some(gone) = gone.take() {
                snapshot.takes = either(gone, snapshot.takes);
            }
            let is_close =
                kept.back().is_some_and(|before| !self.apart.lie_between(before, snapshot.end, snapshot.weight));
            if is_close && at < last {
                gone = Some(snapshot.takes);
                self.put_away(snapshot.picture);
            } else {
                kept.push_back(snapshot);
            }
        }
        self.snapshots = kept;
    }

    fn is_too_much(&self) -> bool {
        self.snapshots.len() > MOST || self.bytes() > self.room
    }

    /// How many bytes of memory the snapshots may take.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// About how many bytes of memory the snapshots take, without what they share with the picture of now.
    pub(crate) fn bytes(&self) -> usize {
        self.snapshots.iter().map(|s| s.takes.own).sum()
    }

    /// Lets the oldest events go: those before the second snapshot, or a part of all that the first takes in then.
    pub(crate) fn let_go(&mut self, history: &mut History) {
        let part = history.start() + (history.end() - history.start()) / 16 + 1;
        match self.snapshots.get(1).map(|second| second.end) {
            Some(end) if end <= history.start() + (history.end() - history.start()) / 4 => {
                let gone = self.snapshots.pop_front();
                gone.into_iter().for_each(|gone| self.put_away(gone.picture));
                history.let_go_to(end);
            }
            _ => {
                if let Some(first) = self.snapshots.front_mut() {
                    first.go_on_to(part.min(history.end()), history);
                }
                history.let_go_to(part);
            }
        }
        let start = history.start();
        if self.seen.as_ref().is_some_and(|(at, _)| *at < start) {
            self.seen = None;
        }
    }

    /// Turns to the moment before event `end`; `None` turns away from the past.
    pub(crate) fn turn_to(&mut self, end: Option<u64>, history: &History) {
        let Some(end) = end else {
            self.seen = None;
            return;
        };
        let end = end.clamp(history.start(), history.end());
        let Some(nearest) = self.snapshots.iter().rev().find(|s| s.end <= end) else { return };
        // Going on from what is looked at is shorter, unless a snapshot lies between or it lies behind.
        let goes_on = self.seen.as_ref().is_some_and(|(seen, _)| *seen >= nearest.end && *seen <= end);
        if !goes_on {
            self.seen = Some((nearest.end, nearest.picture.clone()));
        }
        let Some((from, picture)) = &mut self.seen else { return };
        if *from == end && goes_on {
            return;
        }
        go_on(picture, *from..end, history);
        *from = end;
        picture.settle();
    }

    /// The picture at the moment that was turned to.
    pub(crate) fn seen(&self) -> Option<&Picture> {
        self.seen.as_ref().map(|(_, picture)| picture)
    }
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Past").field("snapshots", &self.snapshots.len()).finish_non_exhaustive()
    }
}
