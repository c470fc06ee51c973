//! What is waited for is said when it takes long.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What takes no longer than this needs no words.
const LONG: Duration = Duration::from_millis(500);

/// While it lives, something is waited for. Where a person reads the messages, they are told so after a while, and nothing
/// is told any more once it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    over: Option<SyncSender<()>>,
    teller: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Begins to wait, for what these words tell, such as `reading the rules`.
    pub(super) fn on(what: impl Into<String>) -> Waiting {
        let what = what.into();
        let (over, waits) = sync_channel(1);
        let tell = move || {
            if waits.recv_timeout(LONG) == Err(RecvTimeoutError::Timeout) {
                super::say(&format!("{what} ..."));
            }
        };
        // Without a thread nothing is told; what is waited for comes all the same.
        let teller = io::stderr().is_terminal().then(|| thread::Builder::new().spawn(tell).ok()).flatten();
        Waiting { over: Some(over), teller }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.over = None;
        if let Some(teller) = self.teller.take() {
            // It panics in nothing that it does; and if it did, that would be told.
            let _ = teller.join();
        }
    }
}
