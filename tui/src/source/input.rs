//! A recording that comes through a pipe may keep silent for as long as it likes: reading it must not keep the program
//! from ending.

use std::fs::File;
use std::io::{self, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Stop;

/// How often a waiting reader looks whether it is to stop: 50 ms.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A file, a pipe or a terminal that is read until its end, or until it is to stop.
#[derive(Debug)]
pub(super) struct Input {
    file: File,
    stop: Stop,
}

impl Input {
    pub(super) fn new(file: File, stop: Stop) -> Self {
        Input { file, stop }
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
                Ok(_) => return self.file.read(into),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
