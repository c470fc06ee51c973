//! Room for texts that no event holds as they are asked for: a command line, the name of a connection.

use std::cell::{Cell, OnceCell};
use std::fmt;

use super::shared::Answers;
use crate::persistent::Place;

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
    ancestors: Ancestors,
    /// Texts about ancestors, by how near they are.
    lines: [Text; NEAR],
    answers: Cell<Answers>,
}
const _: () = assert!(KINDS <= 32, "a bit for each kind of text");

/// Where the graph has the ancestors, as far as they were looked up.
#[derive(Default)]
struct Ancestors {
    places: [Cell<Option<Place>>; NEAR],
    /// How many of the places are known.
    known: Cell<usize>,
}

/// How many ancestors are remembered: few processes have more.
const NEAR: usize = 12;

/// A text, put together when it is first asked for.
#[derive(Default)]
pub(super) struct Text {
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
            text.clear();
        }
        let lines = self.ancestors.known.take();
        self.lines[..lines.min(NEAR)].iter_mut().for_each(Text::clear);
    }

    /// Lends the room for answers, until [`Scratch::give_back`].
    pub(super) fn take_answers(&self) -> Answers {
        self.answers.take()
    }

    pub(super) fn give_back(&self, answers: Answers) {
        self.answers.set(answers);
    }

    /// Where the graph has the ancestor `n`, 0 being the parent; `look_up` finds it where those before it are known.
    pub(super) fn ancestor(&self, n: usize, look_up: impl FnOnce() -> Option<Place>) -> Option<Place> {
        let Ancestors { places, known } = &self.ancestors;
        if n < known.get() {
            return places[n].get();
        }
        let place = look_up();
        if n == known.get() && n < NEAR {
            places[n].set(place);
            known.set(n + 1);
        }
        place
    }

    /// The text about the ancestor so many generations up, the parent being 1; none of those that are far.
    pub(super) fn of_ancestor(&self, generation: u32) -> Option<&Text> {
        self.lines[..self.ancestors.known.get()].get((generation as usize).checked_sub(1)?)
    }

    pub(super) fn get(&self, what: Put, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        self.put.set(self.put.get() | 1 << what as u32);
        self.texts[what as usize].get(write)
    }
}

impl Text {
    /// The text: `write` puts it together unless that was done before.
    pub(super) fn get(&self, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        self.put.get_or_init(|| {
            let mut buffer = self.spare.take();
            write(&mut buffer);
            buffer
        })
    }

    /// Forgets the text, and keeps the room.
    fn clear(&mut self) {
        if let Some(mut buffer) = self.put.take()
            && buffer.capacity() <= KEPT
        {
            buffer.clear();
            self.spare.set(buffer);
        }
    }
}
