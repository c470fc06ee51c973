//! The sensor on the running kernel: do something, expect the event that tells of it, with every field that can be known.
//! Each family has its file. Needs the privileges that the sensor needs; says so when it did not run.
#![allow(unsafe_code, missing_docs, clippy::print_stderr)]

#[path = "sensor/attempts.rs"]
mod attempts;
#[path = "sensor/attributes.rs"]
mod attributes;
#[path = "sensor/backfill.rs"]
mod backfill;
#[path = "sensor/bpf.rs"]
mod bpf;
#[path = "sensor/comm.rs"]
mod comm;
#[path = "sensor/compat.rs"]
mod compat;
#[path = "sensor/credentials.rs"]
mod credentials;
#[path = "sensor/dns.rs"]
mod dns;
#[path = "sensor/ends.rs"]
mod ends;
#[path = "sensor/full.rs"]
mod full;
#[path = "sensor/identity.rs"]
mod identity;
#[path = "sensor/images.rs"]
mod images;
#[path = "sensor/io_uring.rs"]
mod io_uring;
#[path = "sensor/kernel.rs"]
mod kernel;
#[path = "sensor/kernel_run.rs"]
mod kernel_run;
#[path = "sensor/levers.rs"]
mod levers;
#[path = "sensor/lifetime.rs"]
mod lifetime;
#[path = "sensor/link.rs"]
mod link;
#[path = "sensor/losses.rs"]
mod losses;
#[path = "sensor/make.rs"]
mod make;
#[path = "sensor/memfd.rs"]
mod memfd;
#[path = "sensor/mount.rs"]
mod mount;
#[path = "sensor/moved.rs"]
mod moved;
#[path = "sensor/namespace.rs"]
mod namespace;
#[path = "sensor/narrow.rs"]
mod narrow;
#[path = "sensor/network.rs"]
mod network;
#[path = "sensor/open.rs"]
mod open;
#[path = "sensor/own.rs"]
mod own;
#[path = "sensor/paths.rs"]
mod paths;
#[path = "sensor/place.rs"]
mod place;
#[path = "sensor/process.rs"]
mod process;
#[path = "sensor/rename.rs"]
mod rename;
#[path = "sensor/scripts.rs"]
mod scripts;
#[path = "sensor/seal.rs"]
mod seal;
#[path = "sensor/signal.rs"]
mod signal;
#[path = "sensor/socket.rs"]
mod socket;
#[path = "sensor/stage.rs"]
mod stage;
#[path = "sensor/stdio.rs"]
mod stdio;
#[path = "sensor/tcp.rs"]
mod tcp;
#[path = "sensor/trace.rs"]
mod trace;
#[path = "sensor/udp.rs"]
mod udp;
#[path = "sensor/unix.rs"]
mod unix;
#[path = "sensor/unlink.rs"]
mod unlink;
#[path = "sensor/uring_sockets.rs"]
mod uring_sockets;
