//! Lanner's detection content: rules in Falco's format, and chains, the stories that incidents are held against. They
//! are part of the program, so that one file is all that a responder needs.

macro_rules! files {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../", $name)))),*] };
}

/// Rule files, name and content, in the order in which they are loaded: what they share, then one for each tactic.
pub const RULES: &[(&str, &str)] = files![
    "common.yaml",
    "initial-access.yaml",
    "execution.yaml",
    "persistence.yaml",
    "privilege-escalation.yaml",
    "defense-evasion.yaml",
    "credential-access.yaml",
    "discovery.yaml",
    "lateral-movement.yaml",
    "collection.yaml",
    "command-and-control.yaml",
    "exfiltration.yaml",
    "impact.yaml",
];

/// Chain files, name and content.
pub const CHAINS: &[(&str, &str)] = files![
    "chains/container-escape.yaml",
    "chains/web-shell.yaml",
    "chains/cluster.yaml",
    "chains/implants.yaml",
    "chains/theft.yaml",
    "chains/aftermath.yaml",
];
