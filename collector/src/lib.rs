//! Lanner's collector: it loads the sensor, decodes and enriches its events, and publishes them.
//!
//! - [`sensor`]: what the kernel tells, as events.
//! - [`containers`]: who they are, as those who run them tell.
//! - [`hub`]: numbers events and hands them to any number of subscribers, of whom none can hold up another.
//! - [`live`]: the sensor as the hub's source.
//! - [`recorder`]: a subscriber that writes a recording.
//! - `service` (feature `daemon`): the hub over gRPC, for `lannerd`.

pub mod containers;
pub mod hub;
pub mod live;
pub mod recorder;
pub mod sensor;
#[cfg(feature = "daemon")]
pub mod service;
