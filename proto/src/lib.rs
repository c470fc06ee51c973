//! Lanner's wire format, `lanner.v1`: what collectors, clients and recordings say to each other, and its conversion to
//! and from [`lanner_core::event`]. No other crate looks inside a wire message.
//!
//! - [`v1`]: the messages, generated from `proto/lanner/v1` by `cargo xtask proto`.
//! - [`convert`]: core to wire, and back with every length and count bounded: the wire is hostile.
//! - [`address`]: where a collector listens.
//! - [`chunk`]: a batch in pieces that are small enough for a message or a block.
//! - [`client`] (feature `client`): following a collector over gRPC; portable, no Linux needed.
//! - Feature `server`: the generated half that `lannerd` needs.
#![forbid(unsafe_code)]

pub mod address;
pub mod chunk;
#[cfg(feature = "client")]
pub mod client;
pub mod convert;

/// The generated messages of package `lanner.v1`; `proto/lanner/v1/*.proto` documents them.
#[allow(missing_docs, clippy::pedantic, clippy::unwrap_used, unreachable_pub, rustdoc::all)]
pub mod v1 {
    include!("generated/lanner.v1.rs");
}
