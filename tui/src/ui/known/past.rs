//! The picture at any kept event: the nearest snapshot before it, and the events from there on once more.
//!
//! Snapshots share with each other, and with the picture of now, whatever is the same, so that one costs what has changed
//! since the one before. They are taken every so many events, and thinned out as their memory asks for it, where they stand
//! closest. The first stands where the history begins, so that no kept event is out of reach; when there is no other it
//! goes along with the history.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::history::History;
use super::picture::Picture;

/// Events between snapshots, until they are thinned out.
const DISTANCE: u64 = 16_384;

/// Weight of events between snapshots at most, in bytes: large ones take longer.
const HEAVY: u64 = 16 << 20;

/// Snapshots that are kept at most.
const MOST: usize = 256;

/// What all snapshots may take together beside the picture of now, in bytes.
pub(crate) const ROOM: usize = 192 << 20;

/// Blocks that are unpacked ahead of what is taken in, and pictures that wait to be gone.
const AHEAD: usize = 4;

struct Snapshot {
    /// The number of the event that comes next.
    end: u64,
    /// The weight of all events until then, in bytes.
    weight: u64,
    /// What it does not share, in bytes, about.
    bytes: usize,
    picture: Picture,
}

impl Snapshot {
    fn go_on_to(&mut self, end: u64, history: &History) {
        go_on(&mut self.picture, self.end..end, history);
        self.end = self.end.max(end);
    }
}

/// Takes in events once more. While some are taken in another thread unpacks the next, as far as they are packed.
fn go_on(picture: &mut Picture, numbers: Range<u64>, history: &History) {
    thread::scope(|scope| {
        let (send, unpacked) = sync_channel(AHEAD);
        let next = numbers.clone();
        // Without a thread the rest below does all of it.
        let unpacks = thread::Builder::new().name("unpack".to_owned()).spawn_scoped(scope, move || {
            history.blocks(next).try_for_each(|block| send.send(block)).ok();
        });
        let mut done = numbers.start;
        if unpacks.is_ok() {
            for (first, entries) in unpacked {
                for (_, entry) in (first..).zip(entries.iter()).filter(|(number, _)| numbers.contains(number)) {
                    picture.apply_again(&entry.event, &entry.signals);
                }
                done = done.max(first + entries.len() as u64);
            }
        }
        for entry in (done..numbers.end).filter_map(|number| history.get(number)) {
            picture.apply_again(&entry.event, &entry.signals);
        }
    });
}

/// Snapshots of the past, and the picture at the moment that is looked at.
pub(crate) struct Past {
    /// Oldest first; there is always one.
    snapshots: VecDeque<Snapshot>,
    distance: u64,
    /// The moment that is looked at: the number of the event that comes next.
    seen: Option<(u64, Picture)>,
    /// Takes what is not needed any more: there may be so much in it that no frame should wait until it is gone.
    away: SyncSender<Picture>,
}

impl Past {
    /// Begins where nothing has happened yet.
    pub(crate) fn new(start: Picture) -> Past {
        let first = Snapshot { end: 0, weight: 0, bytes: 0, picture: start };
        let (away, gone) = sync_channel::<Picture>(AHEAD);
        // Without a thread it goes at once.
        let _ = thread::Builder::new().name("forget".to_owned()).spawn(move || gone.into_iter().for_each(drop));
        Past { snapshots: VecDeque::from([first]), distance: DISTANCE, seen: None, away }
    }

    fn put_away(&self, picture: Picture) {
        drop(self.away.try_send(picture));
    }

    /// Takes snapshots this far apart at first.
    #[cfg(test)]
    pub(crate) fn every(self, distance: u64) -> Past {
        Past { distance, ..self }
    }

    /// How many snapshots there are.
    #[cfg(test)]
    pub(crate) fn snapshots(&self) -> usize {
        self.snapshots.len()
    }

    /// Notes how things stand at the end of the history, if the last snapshot is far enough back.
    pub(crate) fn note(&mut self, history: &History, now: &mut Picture) {
        let (end, weight) = (history.end(), history.weight_so_far());
        let due =
            self.snapshots.back().is_none_or(|last| end >= last.end + self.distance || weight >= last.weight + HEAVY);
        if !due {
            return;
        }
        let (picture, bytes) = now.snapshot();
        self.snapshots.push_back(Snapshot { end, weight, bytes, picture });
        while self.is_too_much() && self.thin_out() {}
    }

    /// Lets the snapshot go that leaves the smallest gap, the oldest of those alike. The first stays, for the history begins
    /// there.
    fn thin_out(&mut self) -> bool {
        let gap = |at: &usize| self.snapshots[*at + 1].end - self.snapshots[*at - 1].end;
        let Some(at) = (1..self.snapshots.len().saturating_sub(1)).min_by_key(gap) else { return false };
        let Some(gone) = self.snapshots.remove(at) else { return false };
        if let Some(next) = self.snapshots.get_mut(at) {
            // The one before holds now what changed before either; much of that is the same.
            next.bytes = next.bytes.max(gone.bytes) + next.bytes.min(gone.bytes) / 2;
        }
        self.put_away(gone.picture);
        true
    }

    fn is_too_much(&self) -> bool {
        self.snapshots.len() > MOST || self.bytes() > ROOM
    }

    /// About how many bytes of memory the snapshots take, without what they share with the picture of now.
    pub(crate) fn bytes(&self) -> usize {
        self.snapshots.iter().map(|s| s.bytes).sum()
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
