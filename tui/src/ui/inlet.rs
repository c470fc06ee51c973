//! What comes from the source of events, as the loop takes it in. It waits on its own, so that who types need not wait behind it;
//! and what comes within a frame's time is looked at together: a processor that has gone to other work in between finds
//! nothing of this where it was.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::feed::{End, FeedItem};

/// What waits to be taken in is bounded; a source that is faster than this program is held back.
const WAITING: usize = 16;

/// Takes in what a source has to say.
pub(super) struct Inlet {
    items: Receiver<FeedItem>,
    /// The loop was told that something has come, and has not looked yet.
    told: Arc<AtomicBool>,
    /// As the loop knows it.
    waits: bool,
    /// When it looked last.
    looked: Option<Instant>,
    /// More may be there.
    pub(super) more: bool,
    pub(super) closed: bool,
}

impl Inlet {
    /// Takes it in by a thread of its own, which tells the loop that something has come, or the source has gone: once until it
    /// has looked, and each time that no more can wait (`true`). The loop has ended when it cannot be told.
    pub(super) fn start(feed: Receiver<FeedItem>, tell: impl Fn(bool) -> bool + Send + 'static) -> io::Result<Inlet> {
        let (send, items) = sync_channel(WAITING);
        let told = Arc::new(AtomicBool::new(false));
        let is_told = Arc::clone(&told);
        thread::Builder::new().name("feed".into()).spawn(move || {
            let tell_once = || is_told.swap(true, Ordering::AcqRel) || tell(false);
            for item in feed {
                let put = match send.try_send(item) {
                    Err(TrySendError::Full(item)) => tell(true) && send.send(item).is_ok(),
                    put => put.is_ok(),
                };
                if !put || !tell_once() {
                    return;
                }
            }
            drop(send);
            tell_once();
        })?;
        Ok(Inlet { items, told, waits: false, looked: None, more: false, closed: false })
    }

    /// The loop was told that something has come.
    pub(super) fn come(&mut self) {
        self.waits = true;
    }

    /// In how long it is time to look at what waits, looks being so far apart; `None`: nothing waits.
    pub(super) fn due(&self, apart: Duration) -> Option<Duration> {
        let left = || self.looked.map_or(Duration::ZERO, |at| apart.saturating_sub(at.elapsed()));
        self.waits.then(left)
    }

    /// The loop looks now.
    pub(super) fn look(&mut self) {
        (self.waits, self.looked) = (false, Some(Instant::now()));
        self.told.store(false, Ordering::Release);
        self.more = !self.closed;
    }

    /// The next, if it is there.
    pub(super) fn next(&mut self) -> Option<FeedItem> {
        if !self.more {
            return None;
        }
        match self.items.try_recv() {
            Ok(item) => Some(item),
            Err(TryRecvError::Empty) => {
                self.more = false;
                None
            }
            Err(TryRecvError::Disconnected) => {
                (self.more, self.closed) = (false, true);
                Some(FeedItem::End(End::early("the source of events has gone")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tells(item: Option<&FeedItem>) -> Option<u8> {
        match item {
            Some(FeedItem::Progress(percent)) => Some(*percent),
            _ => None,
        }
    }

    #[test]
    fn what_comes_is_told_once_until_it_is_looked_at_and_each_time_that_no_more_can_wait() {
        let (feed, source) = sync_channel(0);
        let (tell, told) = sync_channel(100);
        let mut inlet = Inlet::start(source, move |full| tell.send(full).is_ok()).unwrap();
        assert_eq!(inlet.due(Duration::MAX), None);
        for n in 0..=WAITING {
            feed.send(FeedItem::Progress(u8::try_from(n).unwrap())).unwrap();
        }
        // The first of all, and the last, for which there is no room.
        assert_eq!((told.recv(), told.recv()), (Ok(false), Ok(true)));
        inlet.come();
        assert_eq!(inlet.due(Duration::MAX), Some(Duration::ZERO), "it has not looked before");
        inlet.look();
        assert_eq!(inlet.due(Duration::MAX), None);
        let first = inlet.next();
        assert_eq!(tells(first.as_ref()), Some(0));
        // The last has room now, and is told of.
        assert_eq!(told.recv(), Ok(false));
        inlet.come();
        assert!(inlet.due(Duration::MAX).is_some_and(|due| !due.is_zero()), "it looked just now");
        let others: Vec<u8> = std::iter::from_fn(|| tells(inlet.next().as_ref())).collect();
        assert_eq!(others, (1..=16).collect::<Vec<u8>>());
        inlet.look();
        drop(feed);
        assert_eq!(told.recv(), Ok(false));
        inlet.look();
        assert!(matches!(inlet.next(), Some(FeedItem::End(end)) if !end.complete) && inlet.closed);
    }
}
