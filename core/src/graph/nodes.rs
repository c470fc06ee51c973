//! What stands in the graph, each kind in a store of its own, and one address for all of them.

use std::net::SocketAddr;

use super::Process;
use super::edges::NONE;
use crate::event::{ContainerId, File, FileId, ProcessKey, Text};
use crate::persistent::{Bag, Place, Stock, Table};

/// What stands in the graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Node {
    /// A process.
    Process(ProcessKey),
    /// A file.
    File(FileId),
    /// The remote end of connections.
    Peer(SocketAddr),
    /// A container.
    Container(ContainerId),
}

/// Where a node stands: in which store, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Spot(u32);

/// The stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Process,
    File,
    Other,
}

impl Spot {
    const PLACE_BITS: u32 = 30;

    fn new(kind: Kind, place: Place) -> Spot {
        Spot((kind as u32) << Self::PLACE_BITS | place)
    }

    pub(super) fn of_process(place: Place) -> Spot {
        Spot::new(Kind::Process, place)
    }

    fn kind(self) -> Kind {
        match self.0 >> Self::PLACE_BITS {
            0 => Kind::Process,
            1 => Kind::File,
            _ => Kind::Other,
        }
    }

    fn place(self) -> Place {
        self.0 & ((1 << Self::PLACE_BITS) - 1)
    }

    /// The place of a process.
    pub(super) fn process(self) -> Option<Place> {
        (self.kind() == Kind::Process).then(|| self.place())
    }
}

/// A file, a peer or a container as others have to do with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    /// The latest edge to it.
    pub(super) to: Place,
    /// It was used since it was last considered.
    pub(super) lately: bool,
}

impl Used {
    fn just_now() -> Used {
        Used { to: NONE, lately: true }
    }
}

/// A file, by its latest name.
#[derive(Debug, Clone)]
pub(super) struct KnownFile {
    pub(super) file: File,
    pub(super) used: Used,
    /// Who wrote it last, and with which event; nobody: [`ProcessKey::UNKNOWN`].
    pub(super) writer: ProcessKey,
    pub(super) written: u64,
}

impl KnownFile {
    pub(super) fn last_write(&self) -> Option<(ProcessKey, u64)> {
        (!self.writer.is_unknown()).then_some((self.writer, self.written))
    }
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    pub(super) processes: Table<ProcessKey, Process>,
    files: Bag<FileId, KnownFile>,
    /// Peers and containers.
    others: Bag<Node, Used>,
}

impl Nodes {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.processes.take_stock() + self.files.take_stock() + self.others.take_stock()
    }

    /// Bytes of memory, about, of all but processes.
    pub(super) fn bytes(&self) -> usize {
        self.files.len() * Bag::<FileId, KnownFile>::COST + self.others.len() * Bag::<Node, Used>::COST
    }

    pub(super) fn spot(&self, node: &Node) -> Option<Spot> {
        match node {
            Node::Process(key) => self.processes.place(key).map(Spot::of_process),
            Node::File(id) => self.files.place(id).map(|place| Spot::new(Kind::File, place)),
            Node::Peer(_) | Node::Container(_) => self.others.place(node).map(|place| Spot::new(Kind::Other, place)),
        }
    }

    pub(super) fn at(&self, spot: Spot) -> Option<Node> {
        match spot.kind() {
            Kind::Process => self.processes.at(spot.place()).map(|(key, _)| Node::Process(*key)),
            Kind::File => self.files.at(spot.place()).map(|(id, _)| Node::File(*id)),
            Kind::Other => self.others.at(spot.place()).map(|(node, _)| node.clone()),
        }
    }

    pub(super) fn process_at(&self, spot: Spot) -> Option<&Process> {
        self.processes.at(spot.process()?).map(|(_, process)| process)
    }

    pub(super) fn file(&self, id: FileId) -> Option<&KnownFile> {
        self.files.get(&id)
    }

    /// Gives a file this name, its path shared by `share`. Says where it stands, and whether that is new.
    pub(super) fn name(&mut self, file: &File, share: impl FnOnce(&mut Text)) -> (Spot, bool) {
        let place = self.files.place(&file.id);
        if let Some(place) = place
            && self.files.at(place).is_some_and(|(_, known)| known.file == *file)
        {
            return (Spot::new(Kind::File, place), false);
        }
        let mut file = file.clone();
        share(&mut file.path);
        if let Some(place) = place {
            self.files.value_mut(place).file = file;
            return (Spot::new(Kind::File, place), false);
        }
        let known = KnownFile { used: Used::just_now(), writer: ProcessKey::UNKNOWN, written: 0, file };
        (Spot::new(Kind::File, self.files.insert(known.file.id, known)), true)
    }

    /// The file that stands there.
    pub(super) fn file_at(&self, spot: Spot) -> Option<&KnownFile> {
        self.files.at(spot.place()).filter(|_| spot.kind() == Kind::File).map(|(_, file)| file)
    }

    pub(super) fn file_mut(&mut self, id: FileId) -> Option<&mut KnownFile> {
        self.files.get_mut(&id)
    }

    /// Notes that an event wrote a file.
    pub(super) fn written(&mut self, spot: Spot, by: ProcessKey, seq: u64) {
        let is_later = |file: &KnownFile| seq >= file.written || file.writer.is_unknown();
        if let Kind::File = spot.kind()
            && let Some(file) = self.files.at_mut_if(spot.place(), is_later)
        {
            (file.writer, file.written) = (by, seq);
        }
    }

    /// Makes a peer or a container stand here. Says where it stands if it was not known.
    pub(super) fn add_other(&mut self, node: Node) -> (Spot, bool) {
        if let Some(place) = self.others.place(&node) {
            return (Spot::new(Kind::Other, place), false);
        }
        (Spot::new(Kind::Other, self.others.insert(node, Used::just_now())), true)
    }

    /// The latest edge from a node, or to it.
    pub(super) fn latest(&self, spot: Spot, outgoing: bool) -> Place {
        let used = match spot.kind() {
            Kind::Process => {
                let process = self.process_at(spot);
                return process.map_or(NONE, |process| if outgoing { process.did } else { process.undergone });
            }
            Kind::File => self.files.at(spot.place()).map(|(_, file)| file.used),
            Kind::Other => self.others.at(spot.place()).map(|(_, used)| *used),
        };
        used.filter(|_| !outgoing).map_or(NONE, |used| used.to)
    }

    pub(super) fn set_latest(&mut self, spot: Spot, outgoing: bool, edge: Place) {
        match spot.kind() {
            Kind::Process => {
                if let Some(process) = self.processes.at_mut(spot.place()) {
                    *(if outgoing { &mut process.did } else { &mut process.undergone }) = edge;
                }
            }
            Kind::File => drop(self.files.at_mut(spot.place()).map(|file| file.used.to = edge)),
            Kind::Other => drop(self.others.at_mut(spot.place()).map(|used| used.to = edge)),
        }
    }

    /// Notes that an object was used.
    pub(super) fn use_now(&mut self, spot: Spot) {
        self.set_lately(spot, true);
    }

    /// Whether an object was used since this was last asked; `None`: it is gone.
    pub(super) fn take_lately(&mut self, spot: Spot) -> Option<bool> {
        let lately = match spot.kind() {
            Kind::Process => return None,
            Kind::File => self.files.at(spot.place())?.1.used.lately,
            Kind::Other => self.others.at(spot.place())?.1.lately,
        };
        self.set_lately(spot, false);
        Some(lately)
    }

    /// What is so already need not be copied for those who share it.
    fn set_lately(&mut self, spot: Spot, lately: bool) {
        let used = match spot.kind() {
            Kind::Process => None,
            Kind::File => {
                self.files.at_mut_if(spot.place(), |file| file.used.lately != lately).map(|file| &mut file.used)
            }
            Kind::Other => self.others.at_mut_if(spot.place(), |used| used.lately != lately),
        };
        if let Some(used) = used {
            used.lately = lately;
        }
    }

    /// Lets go a file, a peer or a container.
    pub(super) fn remove_object(&mut self, spot: Spot) {
        match spot.kind() {
            Kind::Process => {}
            Kind::File => drop(self.files.take_out(spot.place())),
            Kind::Other => drop(self.others.take_out(spot.place())),
        }
    }
}
