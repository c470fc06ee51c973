//! What a picture shows: nodes, and what happened between them.

use lanner_core::detect::Severity;
use lanner_core::event::{BootTime, Text};
use lanner_core::graph::{self, Graph};

use crate::words::text::shown;
use crate::words::{container_title, user};

/// Columns of a title, and of a line below it, that are ever shown.
const TITLE: usize = 40;
const LINE: usize = 64;

/// What a node stands for: it keeps this identity while the picture grows.
pub(crate) type Entity = graph::Node;

/// Nodes and edges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Sketch {
    /// In the order in which they came up.
    pub(crate) nodes: Vec<Node>,
    /// In the order in which they came up; no two between the same nodes have the same words.
    pub(crate) edges: Vec<Edge>,
    /// Processes, files, peers and containers for which there was no room.
    pub(crate) left_out: usize,
}

/// A thing, or several alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What it stands for; the first of several.
    pub(crate) entity: Entity,
    /// What kind of thing.
    pub(crate) kind: Kind,
    /// What a person calls it; safe to show.
    pub(crate) title: String,
    /// What is known of it besides, the most telling first; safe to show.
    pub(crate) lines: Vec<String>,
    /// The stages of the story that it is part of, counted from 1.
    pub(crate) stages: Vec<usize>,
    /// The gravest of those.
    pub(crate) severity: Option<Severity>,
    /// The others that are like it, and for which it stands too.
    pub(crate) others: Vec<Entity>,
    /// It belongs to the attack; others only stand by (the kubelet that reads a manifest).
    pub(crate) involved: bool,
    /// A process that has ended.
    pub(crate) ended: bool,
    /// When it came up.
    pub(crate) since: BootTime,
}

/// Kinds of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub(crate) enum Kind {
    Process,
    File,
    Peer,
    Container,
}

/// Something happened between two nodes. Edges lead from cause to effect: from a file to who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    /// An index into [`Sketch::nodes`].
    pub(crate) from: usize,
    /// An index into [`Sketch::nodes`].
    pub(crate) to: usize,
    /// What happened, in a word or two: `wrote`.
    pub(crate) label: String,
    /// How many times.
    pub(crate) count: u64,
    /// Processes in between that only led on.
    pub(crate) through: usize,
    /// The stages that rest on it, counted from 1.
    pub(crate) stages: Vec<usize>,
    /// The first time.
    pub(crate) since: BootTime,
}

impl Kind {
    /// A word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Process => "process",
            Kind::File => "file",
            Kind::Peer => "peer",
            Kind::Container => "container",
        }
    }

    /// A word for several.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Kind::Process => "processes",
            Kind::File => "files",
            Kind::Peer => "peers",
            Kind::Container => "containers",
        }
    }
}

impl Edge {
    /// What happened, marked when somebody stood in between: `…wrote`.
    pub(crate) fn words(&self) -> String {
        let between = if self.through > 0 { "…" } else { "" };
        format!("{between}{}", self.label)
    }
}

impl Node {
    /// A node as the graph knows its entity; an address has the name that it was given in this network namespace.
    pub(crate) fn new(entity: Entity, graph: &Graph, netns: u32) -> Node {
        let (kind, title, lines) = words(&entity, graph, netns);
        let process = match &entity {
            Entity::Process(key) => graph.process(*key),
            _ => None,
        };
        Node {
            kind,
            title,
            lines,
            stages: Vec::new(),
            severity: None,
            others: Vec::new(),
            involved: true,
            ended: process.is_some_and(|p| !p.is_alive()),
            since: process.map_or(BootTime::default(), |p| p.key.start),
            entity,
        }
    }

    /// For how many things it stands.
    pub(crate) fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The title, with the number of things that it stands for: `14 × curl`.
    pub(crate) fn heading(&self, times: &str) -> String {
        match self.count() {
            1 => self.title.clone(),
            n if self.title == self.kind.words() => format!("{n} {}", self.title),
            n => format!("{n} {times} {}", self.title),
        }
    }

    /// The numbers of its stages, `1·2`, with `dot` between them.
    pub(crate) fn numbers(&self, dot: &str) -> String {
        self.stages.iter().map(usize::to_string).collect::<Vec<_>>().join(dot)
    }
}

fn words(entity: &Entity, graph: &Graph, netns: u32) -> (Kind, String, Vec<String>) {
    match entity {
        Entity::Process(key) => {
            let Some(process) = graph.process(*key) else {
                return (Kind::Process, format!("process {}", key.pid), vec!["no longer known".to_owned()]);
            };
            let title = shown(Text::from(process.name()), TITLE);
            let own = process.task.context.namespaces.mnt;
            let place = match &process.task.context.container {
                // Its control group is the container's still, what it sees is the host's.
                Some(id) if own != 0 && graph.host_namespaces(*key).is_some_and(|host| host.mnt == own) => {
                    format!("host, from {}", container_title(id, graph))
                }
                Some(id) => container_title(id, graph),
                None => "host".to_owned(),
            };
            let mut lines = vec![format!("{} {}", key.pid, user(process.task.context.creds.euid)), shown(place, LINE)];
            if let Some(image) = process.image() {
                let own_name = image.args.list.first().map_or(&b""[..], |a| a.file_name());
                let known = usize::from(own_name == process.name());
                let arguments = image.args.list.iter().skip(known).map(|a| shown(a, LINE)).take(16);
                let arguments = arguments.collect::<Vec<_>>().join(" ");
                if !arguments.is_empty() {
                    lines.push(shown(arguments, LINE));
                }
            }
            (Kind::Process, title, lines)
        }
        Entity::File(id) => match graph.file(*id) {
            Some(file) if !file.path.is_empty() => {
                let path = file.path.as_bytes();
                let name = file.path.file_name();
                let name = if name.is_empty() { path } else { name };
                let folder = path.strip_suffix(name).unwrap_or_default();
                let folder = if folder.len() > 1 { folder.strip_suffix(b"/").unwrap_or(folder) } else { folder };
                let mut lines = Vec::new();
                if !folder.is_empty() {
                    lines.push(shown(Text::from(folder), LINE));
                }
                (Kind::File, shown(Text::from(name), TITLE), lines)
            }
            _ => (Kind::File, "unknown file".to_owned(), vec![format!("inode {}", id.ino)]),
        },
        Entity::Peer(address) => {
            let name = graph.name_of(netns, address.ip());
            let lines = name.map(|naming| shown(&naming.name, LINE)).into_iter().collect();
            (Kind::Peer, address.to_string(), lines)
        }
        Entity::Container(id) => {
            let title = container_title(id, graph);
            let short = crate::words::container(id);
            let mut lines = Vec::new();
            if title != short {
                lines.push(short);
            }
            if let Some(info) = graph.container_info(id).filter(|info| !info.image.reference.is_empty()) {
                lines.push(shown(&info.image.reference, LINE));
            }
            (Kind::Container, shown(title, TITLE), lines)
        }
    }
}
