//! A process and its images.

use crate::event::{BootTime, Exit, Image, Origin, ProcessKey, Task};

/// A process, from its fork to its exit and a while longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub key: ProcessKey,
    /// As whom, where and whose child it is: the latest that is known.
    pub task: Task,
    /// What it ran, oldest first: an exec keeps the process and begins a new image. Empty when only its pid is known.
    pub images: Vec<Running>,
    /// The image its parent ran when it forked, as long as it has none of its own.
    pub inherited: Option<Image>,
    /// Children, in the order in which they became known.
    pub children: Vec<ProcessKey>,
    /// When and how it ended.
    pub ended: Option<Ended>,
    /// Whether its beginning was seen.
    pub origin: Origin,
    /// The last event that it did.
    pub last_seen: BootTime,
}

/// One image of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Since when.
    pub since: BootTime,
    /// The event that told.
    pub seq: u64,
    /// What.
    pub image: Image,
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
    /// What it runs now, or ran last; for a fork that has not exec'd, what its parent ran.
    pub fn image(&self) -> Option<&Image> {
        self.images.last().map(|r| &r.image).or(self.inherited.as_ref())
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
