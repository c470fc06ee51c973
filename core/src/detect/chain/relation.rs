//! What must hold between a step and one above it.

use std::time::Duration;

/// A relation of a step to steps above it. One to a step that was not seen says nothing, and does not stand in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// To the step of this number.
    To(RelationKind, usize),
    /// Not longer than this after the step of this number.
    Within(Duration, usize),
    /// One of these.
    Any(Vec<Relation>),
}

/// Kinds of relations. "This" is the step that has it, "that" the one above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// The same process did both.
    SameProcess,
    /// Who did this descends from who did that, or is the same.
    Descends,
    /// Who did this and who did that descend from one process of the incident.
    SameLineage,
    /// Both were done in one container, or both on the host.
    SameContainer,
    /// They were done in different containers, or one on the host.
    OtherContainer,
    /// Who did that, or another of the same lineage, wrote what this one runs.
    WroteExecuted,
    /// Who did that, or another of the same lineage, wrote the file because of which this container started.
    WroteStarted,
    /// Who did that, or another of the same lineage, wrote what this one loaded: a library, a module, a script.
    WroteLoaded,
    /// Who did that, or another of the same lineage, wrote what this one read.
    WroteRead,
    /// Who did that, or another of the same lineage, wrote what this one took up in any of these ways, and it had come over
    /// a connection.
    Delivered,
    /// Who did that, or another of the same lineage, asked a container runtime, which then started this container.
    AskedStarted,
    /// One called the other, who listened, on this node.
    ConnectsTo,
    /// Both speak to the same address.
    SamePeer,
    /// One reached into the other.
    Traced,
    /// What one puts out is the other's input.
    Piped,
}

impl RelationKind {
    /// All, with their names in chain files.
    pub const ALL: [(&'static str, RelationKind); 15] = [
        ("same-process", RelationKind::SameProcess),
        ("descends", RelationKind::Descends),
        ("same-lineage", RelationKind::SameLineage),
        ("same-container", RelationKind::SameContainer),
        ("other-container", RelationKind::OtherContainer),
        ("wrote-executed", RelationKind::WroteExecuted),
        ("wrote-started", RelationKind::WroteStarted),
        ("wrote-loaded", RelationKind::WroteLoaded),
        ("wrote-read", RelationKind::WroteRead),
        ("delivered", RelationKind::Delivered),
        ("asked-started", RelationKind::AskedStarted),
        ("connects-to", RelationKind::ConnectsTo),
        ("same-peer", RelationKind::SamePeer),
        ("traced", RelationKind::Traced),
        ("piped", RelationKind::Piped),
    ];
}
