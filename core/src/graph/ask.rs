//! Who spoke to a container runtime: the start of a container that follows may be the answer.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Container, Graph};
use crate::event::{BootTime, ContainerId, ProcessKey, Text};

/// Requests that are remembered.
const MAX_ASKS: usize = 64;
/// How long after a request the container may start.
const ASK_TO_START: Duration = Duration::from_secs(30);

/// Names of the sockets that runtimes listen on.
const SOCKETS: &[&[u8]] =
    &[b"docker.sock", b"containerd.sock", b"crio.sock", b"podman.sock", b"cri-dockerd.sock", b"dockershim.sock"];
/// Of those, the ones that the kubelet uses: a pod's container may have been asked for there.
const KUBELETS_SOCKETS: &[&[u8]] = &[b"containerd.sock", b"crio.sock", b"cri-dockerd.sock", b"dockershim.sock"];

/// A process spoke to a container runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Who.
    pub by: ProcessKey,
    /// Over which socket.
    pub socket: Text,
    /// When.
    pub time: BootTime,
    /// The event (`header.seq`).
    pub seq: u64,
    /// Where it runs.
    pub(super) container: Option<ContainerId>,
}

/// The latest requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Asks(VecDeque<Ask>);

impl Asks {
    /// Notes a request, if the socket is a runtime's.
    pub(super) fn note(&mut self, ask: Ask) {
        if !SOCKETS.contains(&ask.socket.file_name()) {
            return;
        }
        if self.0.len() == MAX_ASKS {
            self.0.pop_front();
        }
        self.0.push_back(ask);
    }
}

impl Graph {
    /// The request because of which a container may have started at `time`: the latest by one who does not start containers
    /// as its trade.
    pub(super) fn ask_before(&self, container: &Container, time: BootTime) -> Option<Ask> {
        let fits = |ask: &&Ask| {
            ask.time <= time
                && time.since(ask.time) <= ASK_TO_START
                && ask.container.as_ref() != Some(&container.id)
                && (container.pod.is_none() || KUBELETS_SOCKETS.contains(&ask.socket.file_name()))
                && !self.is_supervisor(ask.by)
        };
        self.asks.0.iter().rev().find(fits).cloned()
    }
}
