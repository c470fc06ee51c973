//! A process and its images.

use std::sync::Arc;

use super::children::Children;
use super::edges::NONE;
use crate::event::{BootTime, Exit, File, FileId, Image, Origin, ProcessKey, Task, Text};
use crate::persistent::Place;

/// Images kept of one process. The first and the latest tell the story; a loop of execs must not eat the memory.
const MAX_IMAGES: usize = 32;

/// A process, from its fork to its exit and a while longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub key: ProcessKey,
    /// Whose child it was when it became known. Reparenting does not change it, so that a double fork hides nothing.
    pub parent: Option<ProcessKey>,
    /// As whom and where it is: the latest that is known.
    pub task: Task,
    /// What it ran, oldest first: an exec keeps the process and begins a new image. Empty when it never exec'd.
    pub images: Vec<Running>,
    /// The image its parent ran when it forked.
    pub inherited: Option<Arc<Image>>,
    /// Children, in the order in which they became known.
    pub children: Children,
    /// The exec (`header.seq`) with which it came into its container from outside, though it is not the container's first.
    pub entered: Option<u64>,
    /// The event (`header.seq`) that showed it outside of its container's control group: it moved itself, or who made it did.
    /// It is the container's all the same.
    pub left: Option<u64>,
    /// When and how it ended.
    pub ended: Option<Ended>,
    /// Whether its beginning was seen.
    pub origin: Origin,
    /// The fork (`header.seq`) that made it, so that its parent is who made it; `None` when that was not seen.
    pub made: Option<u64>,
    /// How many incidents rest on it.
    pub(super) held: u32,
    /// The latest edge from it, and to it.
    pub(super) did: Place,
    pub(super) undergone: Place,
}

/// One image of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Since when.
    pub since: BootTime,
    /// The event that told.
    pub seq: u64,
    /// What.
    pub image: Arc<Image>,
    /// The file that its interpreter was given by name and has opened: its script, also when that has another name by now.
    pub given: Option<FileId>,
}

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub time: BootTime,
    /// How.
    pub exit: Exit,
}

impl Process {
    /// A process of which nothing but an action is known.
    pub(super) fn unknown(key: ProcessKey) -> Self {
        Process {
            key,
            parent: None,
            task: Task::default(),
            images: Vec::new(),
            inherited: None,
            children: Children::default(),
            entered: None,
            left: None,
            ended: None,
            origin: Origin::Backfill,
            made: None,
            held: 0,
            did: NONE,
            undergone: NONE,
        }
    }

    /// Begins a new image. One that comes late stands where it belongs, and says nothing of what is now.
    pub(super) fn exec(&mut self, task: Task, image: Image, time: BootTime, seq: u64) {
        let at = self.images.partition_point(|earlier| earlier.seq <= seq);
        if at < self.images.len() {
            if self.images.len() < MAX_IMAGES {
                self.images.insert(at, Running { since: time, seq, image: Arc::new(image), given: None });
            }
            return;
        }
        self.task = task;
        self.images.reserve_exact(1);
        if self.images.len() == MAX_IMAGES {
            self.images.remove(MAX_IMAGES / 2);
        }
        let mut image = image;
        if image.script.is_none() {
            image.script = self.image().and_then(|before| handed_on(before, &image)).cloned();
        }
        self.images.push(Running { since: time, seq, image: Arc::new(image), given: None });
    }

    /// What it runs now, or ran last; for a fork that has not exec'd, what its parent ran.
    pub fn image(&self) -> Option<&Image> {
        self.shared_image().map(Arc::as_ref)
    }

    pub(super) fn shared_image(&self) -> Option<&Arc<Image>> {
        self.images.last().map(|r| &r.image).or(self.inherited.as_ref())
    }

    /// Whether it is an interpreter whose script is called so: its first argument that is no option; of other programs that is
    /// what they work on.
    pub(crate) fn is_given(&self, path: &Text) -> bool {
        let Some(image) = self.image() else { return false };
        let mut words = image.args.list.iter().skip(1).filter(|a| !a.as_bytes().starts_with(b"-"));
        is_interpreter(image.exe.path.file_name()) && words.next().is_some_and(|word| calls(word, path))
    }

    /// Whether a file that it reads is its script, which was not seen yet.
    pub(super) fn looks_for(&self, file: &File) -> bool {
        self.images.last().is_some_and(|running| running.given.is_none()) && self.is_given(&file.path)
    }

    /// It reads its script.
    pub(super) fn found(&mut self, script: &File) {
        if let Some(running) = self.images.last_mut() {
            running.given = Some(script.id);
        }
    }

    /// Whether it has not been seen to end.
    pub fn is_alive(&self) -> bool {
        self.ended.is_none()
    }

    /// The file name of its executable, else its `comm`: what a person calls it.
    pub fn name(&self) -> &[u8] {
        match self.image() {
            Some(image) if !image.exe.path.file_name().is_empty() => image.exe.path.file_name(),
            _ => self.task.comm.as_bytes(),
        }
    }
}

/// Whether a word of a command line may stand for the file at a path.
pub(crate) fn calls(word: &Text, path: &Text) -> bool {
    word == path || (!path.file_name().is_empty() && word.file_name() == path.file_name())
}

fn is_interpreter(name: &[u8]) -> bool {
    let stem = name.split(|b| b.is_ascii_digit() || *b == b'.').next().unwrap_or(name);
    let interpreters: [&[u8]; 13] = [
        b"sh", b"bash", b"dash", b"ash", b"busybox", b"zsh", b"ksh", b"python", b"perl", b"ruby", b"php", b"node",
        b"lua",
    ];
    interpreters.contains(&stem)
}

/// The script of an image that a process runs next: `#!/usr/bin/env python3` makes the kernel run `env python3 SCRIPT`, and
/// that runs `python3 SCRIPT`.
fn handed_on<'a>(before: &'a Image, next: &Image) -> Option<&'a File> {
    let [env, _, script, ..] = before.args.list.as_slice() else { return None };
    let is_handed_on = env.file_name() == b"env" && next.args.list.iter().skip(1).any(|argument| argument == script);
    before.script.as_ref().filter(|_| is_handed_on)
}
