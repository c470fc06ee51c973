//! Containers of real runtimes, attributed and named: containerd, runc, Docker, podman, and a Kubernetes node; and the names
//! that users have in them; and the content of what is run there. Needs root
//! and the runtimes; says so when it did not run.
#![allow(missing_docs, clippy::print_stderr)]

#[path = "containers/accounts.rs"]
mod accounts;
#[path = "containers/digests.rs"]
mod digests;
#[path = "containers/host.rs"]
mod host;
#[path = "containers/node.rs"]
mod node;
#[path = "containers/runtimes.rs"]
mod runtimes;
#[path = "containers/watch.rs"]
mod watch;
