//! Containers of real runtimes, attributed and named: containerd, runc, crun, Docker, podman with root and without, buildah,
//! LXC, systemd-nspawn, and a Kubernetes node; the names that users have in them, and the content of what is run there. Needs
//! root and the runtimes; says so when it did not run.
#![allow(missing_docs, clippy::print_stderr)]

#[path = "containers/accounts.rs"]
mod accounts;
#[path = "containers/buildah.rs"]
mod buildah;
#[path = "containers/digests.rs"]
mod digests;
#[path = "containers/host.rs"]
mod host;
#[path = "containers/machines.rs"]
mod machines;
#[path = "containers/node.rs"]
mod node;
#[path = "containers/podman.rs"]
mod podman;
#[path = "containers/rootless.rs"]
mod rootless;
#[path = "containers/runtimes.rs"]
mod runtimes;
#[path = "containers/watch.rs"]
mod watch;
