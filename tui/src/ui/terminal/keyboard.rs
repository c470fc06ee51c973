//! What the user types, read from the terminal as it comes.

use std::fs::File;
use std::io::{self, IsTerminal, Read, stdin};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::decoder::{Decoder, Typed};

/// So long after its last byte a paste is taken for ended, if the terminal never says so.
const PASTE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// The terminal's input.
#[derive(Debug)]
pub(crate) struct Keyboard {
    terminal: File,
    decoder: Decoder,
    patience: Timespec,
}

impl Keyboard {
    /// Standard input, or where that leads elsewhere the terminal that the program belongs to. `patience` is how long the
    /// rest of a key is waited for after its first byte: where Esc is a key, that long passes before it is one.
    pub(crate) fn open(patience: Duration) -> io::Result<Keyboard> {
        use std::os::fd::AsFd;
        let stdin = stdin();
        let terminal =
            if stdin.is_terminal() { stdin.as_fd().try_clone_to_owned()?.into() } else { File::open("/dev/tty")? };
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        Ok(Keyboard { terminal, decoder: Decoder::default(), patience })
    }

    /// Waits until something was typed.
    ///
    /// # Errors
    /// The terminal has gone.
    pub(crate) fn next(&mut self) -> io::Result<Typed> {
        loop {
            if let Some(typed) = self.decoder.next() {
                return Ok(typed);
            }
            let patience = match () {
                () if self.decoder.is_pasting() => Some(&PASTE),
                () => self.decoder.is_waiting().then_some(&self.patience),
            };
            let mut files = [PollFd::new(&self.terminal, PollFlags::IN)];
            match poll(&mut files, patience) {
                Ok(0) => self.decoder.no_more(),
                Ok(_) => self.read()?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 1024];
        match self.terminal.read(&mut buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the terminal has gone")),
            Ok(n) => {
                self.decoder.take(&buffer[..n]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(io::Error::new(error.kind(), format!("the terminal has gone: {error}"))),
        }
    }
}
