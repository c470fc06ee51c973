//! Room for texts that no event holds as they are asked for: a command line, the name of a connection.

use std::cell::{Cell, OnceCell};
use std::fmt;

use super::shared::Answers;

/// What is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    CommandLine,
    Arguments,
    ExeLine,
    ReaderArgs,
    ParentCommandLine,
    Directory,
    Connection,
    Effective,
    Digest,
    Permitted,
    Gained,
    Flags,
    Mode,
    CallArguments,
    ContainerAndName,
    ContainerAndDirectory,
    Container,
    Peer,
    DnsName,
    Mounts,
    Labels,
    PodLabels,
    CauseTitle,
    Environment,
    Title,
}

/// How many kinds of text there are.
const KINDS: usize = Put::Title as usize + 1;

/// Buffers that are filled once an event and used again for the next one, so that asking a thousand rules about an event
/// costs no memory.
#[derive(Default)]
pub struct Scratch {
    texts: [Text; KINDS],
    /// Which of the texts were put together.
    put: Cell<u32>,
    answers: Cell<Answers>,
}
const _: () = assert!(KINDS <= 32, "a bit for each kind of text");

#[derive(Default)]
struct Text {
    put: OnceCell<Vec<u8>>,
    /// The buffer of earlier events.
    spare: Cell<Vec<u8>>,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts.iter().filter_map(|text| text.put.get())).finish()
    }
}

/// A clone shares nothing, and begins empty.
impl Clone for Scratch {
    fn clone(&self) -> Self {
        Scratch::default()
    }
}

/// How large a buffer is kept for the next event, in bytes.
const KEPT: usize = 64 << 10;

impl Scratch {
    /// Forgets what was put together, and keeps the room.
    pub fn clear(&mut self) {
        let mut put = self.put.take();
        while put != 0 {
            let text = &mut self.texts[put.trailing_zeros() as usize];
            put &= put - 1;
            if let Some(mut buffer) = text.put.take()
                && buffer.capacity() <= KEPT
            {
                buffer.clear();
                text.spare.set(buffer);
            }
        }
    }

    /// Lends the room for answers, until [`Scratch::give_back`].
    pub(super) fn take_answers(&self) -> Answers {
        self.answers.take()
    }

    pub(super) fn give_back(&self, answers: Answers) {
        self.answers.set(answers);
    }

    pub(super) fn get(&self, what: Put, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let text = &self.texts[what as usize];
        text.put.get_or_init(|| {
            self.put.set(self.put.get() | 1 << what as u32);
            let mut buffer = text.spare.take();
            write(&mut buffer);
            buffer
        })
    }
}
