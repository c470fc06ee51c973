//! Events are packed beside everything else, in a thread of its own: a block of them takes longer than a frame has to spare.

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use lanner_recording::{Packed, Packer};

use super::history::Entry;

/// Blocks that are on their way. Who gives one more waits for the first of them, so that how far this has come depends on what
/// was given and on nothing else.
const UNDER_WAY: usize = 4;

/// A block, by the number of its first event.
type Given = (u64, Arc<[Entry]>);

/// What became of it.
pub(super) type Done = (u64, io::Result<Packed>);

/// Packs blocks of events, in the order in which they are given.
pub(super) struct Packing {
    /// `None` where no thread can be had.
    thread: Option<Thread>,
    under_way: usize,
}

struct Thread {
    give: SyncSender<Given>,
    /// Locked by nobody: a history can be read by several threads, and this is a part of it.
    done: Mutex<Receiver<Done>>,
}

impl Packing {
    pub(super) fn start() -> Packing {
        let (give, given) = sync_channel(UNDER_WAY);
        let (tell, done) = sync_channel(UNDER_WAY);
        let work = move || work(given, &tell);
        let thread = thread::Builder::new().name("pack".to_owned()).spawn(work).ok();
        Packing { thread: thread.map(|_| Thread { give, done: Mutex::new(done) }), under_way: 0 }
    }

    /// Takes a block to be packed. Gives back what became of the one before the last few, if there was one.
    pub(super) fn take(&mut self, first: u64, block: &Arc<[Entry]>) -> Option<Done> {
        let Some(Thread { give, done }) = &mut self.thread else {
            return Some((first, pack(&mut None, block)));
        };
        let mut packed = None;
        if self.under_way == UNDER_WAY {
            packed = done.get_mut().unwrap_or_else(PoisonError::into_inner).recv().ok();
            self.under_way -= 1;
        }
        if give.send((first, Arc::clone(block))).is_ok() {
            self.under_way += 1;
        }
        packed
    }
}

impl fmt::Debug for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packing").field("under_way", &self.under_way).finish_non_exhaustive()
    }
}

fn work(given: Receiver<Given>, tell: &SyncSender<Done>) {
    let mut packer = None;
    let mut packed = Vec::new();
    for (first, block) in given {
        if tell.send((first, pack(&mut packer, &block))).is_err() {
            return;
        }
        packed.push(block);
        // To let a thousand events go takes its time too: that is done here, once the history has done with them.
        packed.retain(|block| Arc::strong_count(block) > 1);
    }
}

fn pack(packer: &mut Option<Packer>, block: &[Entry]) -> io::Result<Packed> {
    let packer = match packer {
        Some(packer) => packer,
        None => packer.insert(Packer::new()?),
    };
    packer.pack(block.iter().map(|entry| &entry.event))
}
