//! A recording that comes through a pipe may keep silent for as long as it likes: reading it must not keep the program
//! from ending.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Stop;

/// How often a waiting reader looks whether it is to stop: 50 ms.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A file, a pipe or a terminal that is read until its end, or until it is to stop.
#[derive(Debug)]
pub(super) struct Input {
    file: File,
    stop: Stop,
    progress: Progress,
}

/// How much of a file has been read. Nothing is known of what has no end.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    read: Arc<AtomicU64>,
    of: Option<u64>,
}

impl Progress {
    /// In percent.
    pub(super) fn percent(&self) -> Option<u8> {
        let read = u128::from(self.read.load(Ordering::Relaxed));
        let of = u128::from(self.of.filter(|of| *of > 0)?);
        u8::try_from((read * 100 / of).min(100)).ok()
    }
}

impl Input {
    pub(super) fn new(file: File, stop: Stop) -> Self {
        let of = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
        Input { file, stop, progress: Progress { of, ..Progress::default() } }
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.stop.is_raised() {
                return Err(io::Error::other("interrupted before it ended"));
            }
            let mut files = [PollFd::new(&self.file, PollFlags::IN)];
            match poll(&mut files, Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => {
                    let read = self.file.read(into)?;
                    self.progress.read.fetch_add(read as u64, Ordering::Relaxed);
                    return Ok(read);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}
