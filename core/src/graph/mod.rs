//! What is known of a node: its processes, files, peers and containers, and what happened between them. One event at a
//! time goes in ([`Graph::apply`]); everything else only asks.
//!
//! - [`Process`], [`Container`]: what there is.
//! - `nodes`, `edges`, `provenance`: who did what to what.
//! - `facts`: what follows from it: who entered a container, whose namespaces are the host's, who fed a pipe.
//! - `walk`: all of it as petgraph sees it, for what is a question about graphs.
//! - `lineage`: who descends from whom, and where the doings of one end and another's begin.

mod accounts;
mod apply;
mod ask;
mod children;
mod contact;
mod container;
mod containers;
mod context;
mod digests;
mod edges;
mod facts;
mod groups;
mod lineage;
mod local;
mod name;
mod naming;
mod nodes;
mod objects;
mod process;
mod provenance;
mod reach;
mod retain;
mod shared;
mod snapshot;
mod socket;

mod take;
mod ubiquity;
mod unit;
mod walk;

use std::net::IpAddr;
use std::sync::Arc;

use crate::event::{Accounts, BootTime, ContainerId, ContainerInfo, Context, File, FileId, ProcessKey, Sha256, Text};
use crate::hash::IndexMap;
use crate::persistent::{Place, Queue, Stock, Table};

pub use ask::Ask;
pub use children::Children;
pub use container::{Cause, Container};
pub(crate) use lineage::MAX_ANCESTORS;
pub use naming::Naming;
pub use nodes::Node;
pub(crate) use process::calls;
pub use process::{Ended, Process, Running};
pub use provenance::{Edge, Relation};
pub use snapshot::snapshot;
pub use walk::Step;

/// Everything known of one node.
#[derive(Debug, Clone)]
pub struct Graph {
    /// How many bytes it may take, and what takes how many.
    memory: usize,
    processes_bytes: usize,
    told_bytes: usize,
    texts: shared::Shared<Text>,
    contexts: shared::Shared<Arc<Context>>,
    nodes: nodes::Nodes,
    edges: edges::Edges,
    objects: objects::Objects,
    reaches: reach::Reaches,
    /// Children of processes that are not known (yet).
    awaited: IndexMap<ProcessKey, Vec<ProcessKey>>,
    /// The process that has a pid now, or had it last.
    by_pid: Table<u32, ProcessKey>,
    /// Ended processes, in the order of their ends.
    ended: Queue<ProcessKey>,
    /// Those that were passed over, for they were held.
    ended_held: Queue<ProcessKey>,
    living: usize,
    evicted: u64,
    containers: Table<ContainerId, Container>,
    /// Those of a pod, by its uid.
    of_pod: groups::Groups<String>,
    /// Those whose first program is in a mount namespace.
    at_home: groups::Groups<u32>,
    /// What those who run them tell of containers, which need not be seen yet.
    told: Table<ContainerId, ContainerInfo>,
    /// The latest event (`header.seq`) that told of a container what was not known.
    news: Option<u64>,
    /// Who last had the write end of a pipe (its inode) as standard output or error.
    pipes: Table<u64, ProcessKey>,
    /// Who last had the read end of a pipe as standard input.
    pipe_readers: Table<u64, ProcessKey>,
    contacts: contact::Contacts,
    names: naming::Names,
    accounts: accounts::Lists,
    digests: digests::Digests,
    ends: local::Ends,
    takes: take::Takes,
    asks: ask::Asks,
    units: unit::Units,
}

impl Default for Graph {
    fn default() -> Self {
        Graph {
            memory: retain::MEMORY,
            processes_bytes: 0,
            told_bytes: 0,
            texts: shared::Shared::default(),
            contexts: shared::Shared::default(),
            nodes: nodes::Nodes::default(),
            edges: edges::Edges::default(),
            objects: objects::Objects::default(),
            reaches: reach::Reaches::default(),
            awaited: IndexMap::default(),
            by_pid: Table::default(),
            ended: Queue::default(),
            ended_held: Queue::default(),
            living: 0,
            evicted: 0,
            containers: Table::default(),
            of_pod: groups::Groups::default(),
            at_home: groups::Groups::default(),
            told: Table::default(),
            news: None,
            pipes: Table::default(),
            pipe_readers: Table::default(),
            accounts: accounts::Lists::default(),
            digests: digests::Digests::default(),
            asks: ask::Asks::default(),
            units: unit::Units::default(),
            contacts: contact::Contacts::default(),
            names: naming::Names::default(),
            ends: local::Ends::default(),
            takes: take::Takes::default(),
        }
    }
}

impl Graph {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub fn take_stock(&mut self) -> Stock {
        self.texts.take_stock()
            + self.contexts.take_stock()
            + self.nodes.take_stock()
            + self.edges.take_stock()
            + self.objects.take_stock()
            + self.reaches.take_stock()
            + self.by_pid.take_stock()
            + self.ended.take_stock()
            + self.ended_held.take_stock()
            + self.containers.take_stock()
            + self.of_pod.take_stock()
            + self.at_home.take_stock()
            + self.told.take_stock()
            + self.pipes.take_stock()
            + self.pipe_readers.take_stock()
            + self.digests.take_stock()
            + self.contacts.take_stock()
            + self.names.take_stock()
            + self.ends.take_stock()
    }

    /// The process, if it is known (and not evicted).
    pub fn process(&self, key: ProcessKey) -> Option<&Process> {
        self.nodes.processes.get(&key)
    }

    /// Where a process stands, as long as it is known.
    pub(crate) fn process_place(&self, key: ProcessKey) -> Option<Place> {
        self.nodes.processes.place(&key)
    }

    /// The process at a place.
    pub(crate) fn process_at(&self, place: Place) -> Option<&Process> {
        self.nodes.processes.at(place).map(|(_, process)| process)
    }

    /// All processes, living and ended, in the order in which they became known.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.nodes.processes.values()
    }

    /// How many processes live.
    pub fn living(&self) -> usize {
        self.living
    }

    /// How many processes had to be forgotten to bound the memory.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The process that has this pid now, or had it last.
    pub fn by_pid(&self, pid: u32) -> Option<&Process> {
        self.by_pid.get(&pid).and_then(|key| self.process(*key))
    }

    /// The container, if any of its processes is known.
    pub fn container(&self, id: &ContainerId) -> Option<&Container> {
        self.containers.get(id)
    }

    /// What users and groups are called in a container, or on the node itself.
    pub fn accounts(&self, container: Option<&ContainerId>) -> Option<&Accounts> {
        self.accounts.of(container)
    }

    /// All such lists, the node's first.
    pub fn all_accounts(&self) -> impl Iterator<Item = &Accounts> {
        self.accounts.all()
    }

    /// What a file held that was run at that time, if anybody read it.
    pub fn digest(&self, file: FileId, time: BootTime) -> Option<Sha256> {
        self.digests.of(file, time)
    }

    /// Files whose sums were forgotten to bound the memory.
    pub fn digests_let_go(&self) -> u64 {
        self.digests.let_go()
    }

    /// Such lists that were forgotten to bound the memory.
    pub fn accounts_let_go(&self) -> u64 {
        self.accounts.let_go()
    }

    /// All containers, in the order in which they became known.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.values()
    }

    /// What those who run a container tell of it, be it that nobody knows it; `None` while nobody was asked.
    pub fn container_info(&self, id: &ContainerId) -> Option<&ContainerInfo> {
        self.told.get(id)
    }

    /// All that is told of containers, in the order in which it came first.
    pub fn container_infos(&self) -> impl Iterator<Item = &ContainerInfo> {
        self.told.values()
    }

    /// What a person calls a container: `namespace/pod/container`, its name, or as long as that is not known its short id.
    pub fn container_title(&self, id: &ContainerId) -> Text {
        self.container_info(id).and_then(ContainerInfo::title).unwrap_or_else(|| id.short())
    }

    /// Appends [`Graph::container_title`].
    pub fn write_container_title(&self, id: &ContainerId, out: &mut Vec<u8>) {
        let before = out.len();
        if let Some(info) = self.container_info(id) {
            info.write_title(out);
        }
        if out.len() == before {
            out.extend_from_slice(id.short_bytes());
        }
    }

    /// A file, by the latest name it was used under.
    pub fn file(&self, id: FileId) -> Option<&File> {
        self.nodes.file(id).map(|known| &known.file)
    }

    /// The name that an address was last given as the answer to, in this network namespace.
    pub fn name_of(&self, netns: u32, address: IpAddr) -> Option<&Naming> {
        self.names.of(netns, address)
    }

    /// How many names of addresses had to be forgotten to bound the memory.
    pub fn names_let_go(&self) -> u64 {
        self.names.let_go()
    }
}
