//! Names of containers: whoever runs a container is asked who it is, as soon as anything of it is seen.
//!
//! The kernel knows containers by their control groups alone. Their runtimes are found by their processes, wherever they
//! live: a node may itself be a container, whose runtime's socket lies in another mount namespace. [`Names`] stands between
//! the sensor and the hub: it looks through events for runtimes and for containers that are not known yet, a thread asks
//! ([`asker`]), and answers become events of their own.
//!
//! - `runtime`: what a process's arguments tell of a runtime. `place`: whom it may speak for, and its file system.
//! - `cri`, `containerd`, `docker`, `storage`, `bundle`: the ways to ask, best first. `facts`: bounds on the answers.
//! - `groupless`: containers that have no control group of their own. `bounded`: what is remembered.
//!
//! - `digests`: what the files hold that are run.
//! - `accounts`: what users and groups are called, on the node and in containers.
//!
//! Answers are not proof. Whoever is root on a node can run what calls itself a runtime; whoever is not can only speak for
//! containers of its own.

mod accounts;
mod asker;
mod bounded;
mod bundle;
mod containerd;
mod cri;
mod digests;
mod docker;
mod facts;
mod groupless;
mod names;
mod place;
mod root;
mod rpc;
mod runtime;
mod storage;

pub use names::Names;
