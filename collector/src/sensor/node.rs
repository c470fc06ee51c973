//! The node.

use std::fs;

use lanner_core::event::{Hook, NodeInfo};

use super::{blind, clock};

/// Describes this node; `hooks` are the sensor's.
pub fn node_info(hooks: Vec<Hook>) -> NodeInfo {
    let line = |path: &str| fs::read_to_string(path).map(|s| s.trim().to_owned()).unwrap_or_default();
    let kernel = line("/proc/sys/kernel/osrelease");
    NodeInfo {
        name: line("/proc/sys/kernel/hostname"),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        machine: std::env::consts::ARCH.to_owned(),
        wall_offset: clock::wall_offset(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        blind: blind::spots(&hooks, &kernel),
        hooks,
        kernel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_is_described_by_its_kernel() {
        let node = node_info(Vec::new());
        assert_eq!(node.boot_id.len(), 36, "{node:?}");
        assert!(!node.kernel.is_empty() && !node.name.is_empty() && !node.machine.is_empty(), "{node:?}");
        let wall = node.wall(clock::now());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_nanos();
        assert!((now as i64 - wall).abs() < 1_000_000_000, "within a second of the wall clock");
    }
}
