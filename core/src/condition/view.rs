//! What conditions look at: an event, and what is known of its node.

use std::borrow::Cow;

use super::scratch::{Put, Scratch};
use super::shared::Answers;
use crate::event::{ContainerId, ContainerInfo, Event, Exec, File, Flow, Image, Namespaces, Payload, ProcessKey, Task};
use crate::graph::{Container, Graph, MAX_ANCESTORS, Process};

/// An event, and the graph after it was taken in.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The event.
    pub event: &'a Event,
    /// What is known of the node.
    pub graph: &'a Graph,
    /// What the graph knows of who did it: nearly every field asks.
    process: Option<&'a Process>,
    scratch: Option<&'a Scratch>,
}

impl<'a> View<'a> {
    /// A look at an event.
    pub fn new(event: &'a Event, graph: &'a Graph) -> Self {
        View { event, graph, process: graph.process(event.header.process), scratch: None }
    }

    /// The same, with room for what has to be put together: it is, once, however often it is asked for.
    /// The room must be [cleared](Scratch::clear) between events.
    #[must_use]
    pub fn with(self, scratch: &'a Scratch) -> Self {
        View { scratch: Some(scratch), ..self }
    }

    /// Asks with room for answers, which are of one event.
    pub(crate) fn answering<T>(&self, ask: impl FnOnce(&mut Answers) -> T) -> T {
        let mut answers = self.scratch.map(Scratch::take_answers).unwrap_or_default();
        let asked = ask(&mut answers);
        if let Some(scratch) = self.scratch {
            scratch.give_back(answers);
        }
        asked
    }

    /// A text that has to be put together.
    pub(super) fn put(self, what: Put, write: impl FnOnce(&mut Vec<u8>)) -> Cow<'a, [u8]> {
        match self.scratch {
            Some(scratch) => Cow::Borrowed(scratch.get(what, write)),
            None => {
                let mut text = Vec::new();
                write(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// A text about the ancestor so many generations up that has to be put together: always the same one.
    pub(super) fn put_of_ancestor(self, generation: u32, write: impl FnOnce(&mut Vec<u8>)) -> Cow<'a, [u8]> {
        match self.scratch.and_then(|scratch| scratch.of_ancestor(generation)) {
            Some(text) => Cow::Borrowed(text.get(write)),
            None => {
                let mut text = Vec::new();
                write(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The process that did it.
    pub fn key(self) -> ProcessKey {
        self.event.header.process
    }

    /// What the graph knows of that process.
    pub fn process(self) -> Option<&'a Process> {
        self.process
    }

    /// What the event itself says of its process.
    fn told(self) -> Option<&'a Exec> {
        match &self.event.payload {
            Payload::Exec(exec) | Payload::Alive(exec) => Some(exec),
            _ => None,
        }
    }

    /// The circumstances of the process.
    pub fn task(self) -> Option<&'a Task> {
        self.told().map(|e| &e.task).or_else(|| Some(&self.process()?.task))
    }

    /// What the process runs.
    pub fn image(self) -> Option<&'a Image> {
        self.told().map(|e| &e.image).or_else(|| self.process()?.image())
    }

    /// Its parent: whose child it was when it became known, not who adopted it.
    pub fn parent(self) -> Option<&'a Process> {
        self.ancestors().next()
    }

    /// Its known ancestors, its parent first.
    pub fn ancestors(self) -> impl Iterator<Item = &'a Process> {
        let mut below: Option<&'a Process> = None;
        let ancestor = move |n| {
            let look_up =
                || self.graph.process_place(below.map_or_else(|| self.parent_key(), |process| process.parent)?);
            let place = match self.scratch {
                Some(scratch) => scratch.ancestor(n, look_up),
                None => look_up(),
            };
            below = Some(self.graph.process_at(place?)?);
            below
        };
        (0..MAX_ANCESTORS).map_while(ancestor)
    }

    fn parent_key(self) -> Option<ProcessKey> {
        self.process.and_then(|process| process.parent).or_else(|| self.task()?.parent)
    }

    /// The process itself for 0, its parent for 1, and so on.
    pub fn ancestor(self, n: u32) -> Option<&'a Process> {
        match n {
            0 => self.process(),
            _ => self.ancestors().nth(n as usize - 1),
        }
    }

    /// The container that its control group names, or that it came out of; or that the event is about.
    pub fn container_id(self) -> Option<&'a ContainerId> {
        match &self.event.payload {
            Payload::Container(info) => Some(&info.id),
            _ => self.task()?.context.container.as_ref().or_else(|| self.process()?.task.context.container.as_ref()),
        }
    }

    /// What those who run that container tell of it, if anybody does.
    pub fn container_info(self) -> Option<&'a ContainerInfo> {
        let info = match &self.event.payload {
            Payload::Container(info) => info,
            _ => self.graph.container_info(self.container_id()?)?,
        };
        info.is_known().then_some(info)
    }

    /// What is known of that container.
    pub fn container(self) -> Option<&'a Container> {
        self.graph.container(self.container_id()?)
    }

    /// Its namespaces, after the event.
    pub fn namespaces(self) -> Option<&'a Namespaces> {
        match &self.event.payload {
            Payload::Namespace(change) => Some(&change.now),
            _ => Some(&self.task()?.context.namespaces),
        }
    }

    /// The file that the event is about, opened or called by name; of one that got a name, under that name.
    pub fn named(self) -> Option<&'a File> {
        match &self.event.payload {
            Payload::Rename(rename) => Some(&rename.file),
            Payload::Link(link) => Some(&link.file),
            Payload::Unlink(unlink) => Some(&unlink.file),
            Payload::Make(make) => Some(&make.file),
            Payload::Attribute(attribute) => Some(&attribute.file),
            _ => self.file(),
        }
    }

    /// The file that the event opened.
    pub fn file(self) -> Option<&'a File> {
        match &self.event.payload {
            Payload::Open(open) => Some(&open.file),
            Payload::MemFd(memfd) => Some(&memfd.file),
            _ => None,
        }
    }

    /// The connection that the event is about.
    pub fn flow(self) -> Option<&'a Flow> {
        match &self.event.payload {
            Payload::Connect(connect) => Some(&connect.flow),
            Payload::Accept(accept) => Some(&accept.flow),
            Payload::Close(close) => Some(&close.flow),
            Payload::Traffic(traffic) => Some(&traffic.flow),
            Payload::Udp(udp) => Some(&udp.flow),
            Payload::Dns(dns) => Some(&dns.flow),
            _ => None,
        }
    }

    /// Whether this node opened the connection that the event is about.
    pub fn outgoing(self) -> Option<bool> {
        match &self.event.payload {
            Payload::Connect(_) => Some(true),
            Payload::Accept(_) => Some(false),
            Payload::Close(close) => close.outgoing,
            Payload::Traffic(traffic) => traffic.outgoing,
            Payload::Udp(udp) => Some(udp.outgoing),
            Payload::Dns(_) => Some(true),
            _ => None,
        }
    }
}
