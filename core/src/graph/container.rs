//! A container.

use crate::event::{BootTime, ContainerId, Namespaces, ProcessKey};

/// A container, known by the control group of its processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id.
    pub id: ContainerId,
    /// The pod's uid, when the control group names one (dashes removed).
    pub pod: Option<String>,
    /// The pod is one that the kubelet made from a file: its uid is a hash and not a UUID.
    pub static_pod: bool,
    /// The first process that ran in it.
    pub root: ProcessKey,
    /// The process outside that started it: its runtime's shim.
    pub runtime: Option<ProcessKey>,
    /// The namespaces of its runtime, which are "the host's" for it.
    pub host: Option<Namespaces>,
    /// When it was first seen.
    pub since: BootTime,
}
