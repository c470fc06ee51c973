//! The built-in scenarios: recordings of attacks that were performed for real, by the script in the folder of the same name
//! beside this crate's sources.

/// A recorded attack.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What it is called on the command line, and its folder: lower-case words joined by hyphens.
    pub name: &'static str,
    /// What it is called to people: a line without a full stop.
    pub title: &'static str,
    /// What happens in it, in a sentence or two.
    pub summary: &'static str,
    /// The recording, a `.lanner` file.
    pub recording: &'static [u8],
}

/// All built-in scenarios, in the order in which they are listed.
pub const SCENARIOS: &[Scenario] = &[Scenario {
    name: "container-escape",
    title: "Container escape to a hidden static pod",
    summary: "A shell in a privileged pod leads out to the node, where a manifest makes the kubelet start a pod that no API \
              server knows; it runs code from memory, calls home, and sends out the cluster's keys.",
    recording: include_bytes!("../container-escape/recording.lanner"),
}];

/// The built-in scenario of this name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
