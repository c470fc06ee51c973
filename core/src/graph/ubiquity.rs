//! How many unrelated programs use an object. What everybody uses ties nobody to anybody.
//!
//! Programs are counted, not processes: a job that runs every minute is one user of what it runs.

use super::{Graph, Node, Process, Relation};
use crate::event::{ContainerId, FileId, ProcessKey};

/// Users that are looked at, the latest: the count is a lower bound.
const MAX_SEEN: usize = 256;

impl Graph {
    /// Whether a process takes calls: what it starts it may start for anybody.
    pub(crate) fn serves_many(&self, key: ProcessKey) -> bool {
        self.did_any(&Node::Process(key), Relation::Accepted)
    }

    /// How many programs of different places ran or read a file, as far as is known; counted up to `most`. Who ran it is
    /// told by who started that: all that run a file run the same program.
    pub fn users_of(&self, file: FileId, most: usize) -> usize {
        let users = self.latest_to(&Node::File(file)).take(MAX_SEEN).filter_map(|(node, edge)| {
            let Node::Process(key) = node else { return None };
            let process = self.process(key)?;
            match edge.relation {
                Relation::Read => Some(program(process)),
                Relation::Executed => Some(process.parent.and_then(|p| self.process(p)).map_or((None, None), program)),
                _ => None,
            }
        });
        distinct(users, most)
    }

    /// Who called a process from this node, the latest first.
    pub(crate) fn clients(&self, server: ProcessKey) -> impl Iterator<Item = ProcessKey> {
        self.latest_to(&Node::Process(server)).filter_map(|(node, edge)| match node {
            Node::Process(client) if edge.relation == Relation::Reached => Some(client),
            _ => None,
        })
    }

    /// How many programs of different places called a process, as far as is known; counted up to `most`.
    pub fn clients_of(&self, server: ProcessKey, most: usize) -> usize {
        let clients = self.latest_to(&Node::Process(server)).take(MAX_SEEN).filter_map(|(node, edge)| {
            let Node::Process(key) = node else { return None };
            (edge.relation == Relation::Reached).then(|| self.process(key).map(program))?
        });
        distinct(clients, most)
    }
}

type Program<'a> = (Option<FileId>, Option<&'a ContainerId>);

fn program(process: &Process) -> Program<'_> {
    (process.image().map(|image| image.exe.id), process.task.context.container.as_ref())
}

fn distinct<'a>(programs: impl Iterator<Item = Program<'a>>, most: usize) -> usize {
    let mut known = Vec::with_capacity(most);
    for program in programs {
        if known.len() >= most {
            break;
        }
        if !known.contains(&program) {
            known.push(program);
        }
    }
    known.len()
}
