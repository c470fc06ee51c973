//! Lanner's detection content: rules in Falco's format, and chains, the stories that incidents are held against. They
//! are part of the program, so that one file is all that a responder needs.

/// Rule files, name and content, in the order in which they are loaded.
pub const RULES: &[(&str, &str)] = &[
    ("common.yaml", include_str!("../common.yaml")),
    ("container.yaml", include_str!("../container.yaml")),
    ("execution.yaml", include_str!("../execution.yaml")),
    ("collection.yaml", include_str!("../collection.yaml")),
    ("network.yaml", include_str!("../network.yaml")),
];

/// Chain files, name and content.
pub const CHAINS: &[(&str, &str)] = &[("container-escape.yaml", include_str!("../chains/container-escape.yaml"))];
