//! The node. Unlike an event, its description is not refused when it breaks a bound: it is cut.

use lanner_core::event::{BlindSpot, Hook, HookLayer, HookState, NodeInfo};

use crate::v1;

/// The longest name or sentence of a node's description, in bytes.
const MAX_STRING: usize = 1024;
/// The most hooks.
const MAX_HOOKS: usize = 256;
/// The most blind spots.
const MAX_BLIND: usize = 256;

impl From<&NodeInfo> for v1::NodeInfo {
    fn from(node: &NodeInfo) -> Self {
        v1::NodeInfo {
            name: cut(node.name.clone()),
            boot_id: cut(node.boot_id.clone()),
            kernel: cut(node.kernel.clone()),
            machine: cut(node.machine.clone()),
            wall_offset: node.wall_offset,
            version: cut(node.version.clone()),
            hooks: node.hooks.iter().take(MAX_HOOKS).map(Into::into).collect(),
            blind: node.blind.iter().take(MAX_BLIND).map(Into::into).collect(),
        }
    }
}

impl From<v1::NodeInfo> for NodeInfo {
    fn from(node: v1::NodeInfo) -> Self {
        NodeInfo {
            name: cut(node.name),
            boot_id: cut(node.boot_id),
            kernel: cut(node.kernel),
            machine: cut(node.machine),
            wall_offset: node.wall_offset,
            version: cut(node.version),
            hooks: node.hooks.into_iter().take(MAX_HOOKS).map(Into::into).collect(),
            blind: node.blind.into_iter().take(MAX_BLIND).map(Into::into).collect(),
        }
    }
}

impl From<&BlindSpot> for v1::BlindSpot {
    fn from(spot: &BlindSpot) -> Self {
        v1::BlindSpot { family: cut(spot.family.clone()), what: cut(spot.what.clone()) }
    }
}

impl From<v1::BlindSpot> for BlindSpot {
    fn from(spot: v1::BlindSpot) -> Self {
        BlindSpot { family: cut(spot.family), what: cut(spot.what) }
    }
}

impl From<&Hook> for v1::Hook {
    fn from(hook: &Hook) -> Self {
        let layer = match hook.layer {
            HookLayer::Base => v1::HookLayer::Base,
            HookLayer::Full => v1::HookLayer::Full,
        };
        let (refused, waiting) = match &hook.state {
            HookState::Attached => (None, None),
            HookState::Refused(why) => (Some(cut(why.clone())), None),
            HookState::Waiting(what) => (None, Some(cut(what.clone()))),
        };
        let (name, without) = (cut(hook.name.clone()), cut(hook.without.clone()));
        v1::Hook { name, layer: layer.into(), refused, without, waiting }
    }
}

impl From<v1::Hook> for Hook {
    fn from(hook: v1::Hook) -> Self {
        // A layer that is newer than this version is one that not every kernel has.
        let layer = match hook.layer() {
            v1::HookLayer::Base => HookLayer::Base,
            v1::HookLayer::Full | v1::HookLayer::Unspecified => HookLayer::Full,
        };
        Hook {
            name: cut(hook.name),
            layer,
            state: match (hook.refused, hook.waiting) {
                (Some(why), _) => HookState::Refused(cut(why)),
                (None, Some(what)) => HookState::Waiting(cut(what)),
                (None, None) => HookState::Attached,
            },
            without: cut(hook.without),
        }
    }
}

fn cut(mut s: String) -> String {
    s.truncate(s.floor_char_boundary(MAX_STRING));
    s
}
