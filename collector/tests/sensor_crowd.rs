//! The sensor on the running kernel among connections that come and go at full speed, each test with a sensor of its own:
//! one that several tests share and nobody reads for a while would fill up.
//! One test after the other: among the connections of another the kernel may skip what a test waits for.
#![allow(unsafe_code, missing_docs, clippy::print_stderr)]

#[path = "sensor/crowd.rs"]
mod crowd;
#[allow(dead_code, reason = "shared with sensor_kernel.rs, which uses all of it")]
#[path = "sensor/network.rs"]
mod network;
#[path = "sensor/older.rs"]
mod older;
#[allow(dead_code, reason = "shared with sensor_kernel.rs, which uses all of it")]
#[path = "sensor/stage.rs"]
mod stage;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test runs.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
