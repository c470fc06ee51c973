//! Which field of ours a field of Sigma's is, by the category of the log that a rule reads.

use rsigma_parser::LogSource;

/// The logs that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// `process_creation`
    Process,
    /// `file_event`: a file was created, or opened for writing.
    File,
    /// `network_connection`
    Network,
}

/// Of what kind a field's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// An address.
    Address,
}

/// A field of Sigma's.
#[derive(Debug, Clone, Copy)]
pub struct Mapped {
    /// Its name in Sigma rules.
    pub sigma: &'static str,
    /// The name of ours.
    pub ours: &'static str,
    /// Of what kind its values are.
    pub kind: Kind,
    /// The only category that has it; `None`: all.
    pub only: Option<Category>,
}

const fn row(sigma: &'static str, ours: &'static str, kind: Kind, only: Option<Category>) -> Mapped {
    Mapped { sigma, ours, kind, only }
}

/// The table. A field of ours that events do not have yet makes the rule unsupported, with that field's reason.
pub const FIELDS: &[Mapped] = &[
    row("Image", "proc.exepath", Kind::Text, None),
    row("CommandLine", "proc.exeline", Kind::Text, None),
    row("ParentImage", "proc.pexepath", Kind::Text, None),
    row("ParentCommandLine", "proc.pcmdline", Kind::Text, None),
    row("CurrentDirectory", "proc.cwd", Kind::Text, None),
    row("ProcessId", "proc.pid", Kind::Number, None),
    row("ParentProcessId", "proc.ppid", Kind::Number, None),
    row("User", "user.name", Kind::Text, None),
    row("LoginUser", "user.loginname", Kind::Text, None),
    row("ContainerId", "container.id", Kind::Text, None),
    row("TargetFilename", "fd.name", Kind::Text, Some(Category::File)),
    row("SourceIp", "fd.cip", Kind::Address, Some(Category::Network)),
    row("SourcePort", "fd.cport", Kind::Number, Some(Category::Network)),
    row("SourceHostname", "fd.cip.name", Kind::Text, Some(Category::Network)),
    row("DestinationIp", "fd.sip", Kind::Address, Some(Category::Network)),
    row("DestinationPort", "fd.sport", Kind::Number, Some(Category::Network)),
    row("DestinationHostname", "fd.sip.name", Kind::Text, Some(Category::Network)),
    row("Protocol", "fd.l4proto", Kind::Text, Some(Category::Network)),
    row("Initiated", "lanner.net.outgoing", Kind::Flag, Some(Category::Network)),
];

impl Category {
    /// The category of a rule, or why it is none of these.
    pub(crate) fn of(source: &LogSource) -> Result<Category, String> {
        if let Some(product) = source.product.as_deref().filter(|p| !p.eq_ignore_ascii_case("linux")) {
            return Err(format!("it reads logs of {product}, not of Linux"));
        }
        if let Some(service) = &source.service {
            return Err(format!("it reads the log of {service}, which is not read here"));
        }
        match source.category.as_deref() {
            Some("process_creation") => Ok(Category::Process),
            Some("file_event") => Ok(Category::File),
            Some("network_connection") => Ok(Category::Network),
            Some(other) => Err(format!(
                "its category is {other}; understood are process_creation, file_event and network_connection"
            )),
            None => Err("its log source has no category".to_owned()),
        }
    }

    /// The events that its log is of.
    pub(crate) fn events(self) -> &'static str {
        match self {
            Category::Process => "evt.type in (execve, execveat)",
            Category::File => "evt.type in (open, openat, openat2, creat) and evt.is_open_write = true",
            // A connection that this node opens is told twice, when it is tried and when it stands.
            Category::Network => "(evt.type in (accept, accept4) or lanner.net.attempt = started)",
        }
    }

    /// What its signals say, behind the rule's title.
    pub(crate) fn output(self) -> &'static str {
        match self {
            Category::Process => "%proc.cmdline was started by %proc.pname",
            Category::File => "%proc.name opened %fd.name for writing",
            Category::Network => "%proc.name has the connection %fd.name",
        }
    }

    /// The field of ours, or why there is none.
    pub(crate) fn field(self, sigma: &str) -> Result<&'static Mapped, String> {
        let found = FIELDS.iter().find(|row| row.sigma == sigma);
        let found = found.filter(|row| row.only.is_none_or(|only| only == self));
        found.ok_or_else(|| format!("events have no field `{sigma}`"))
    }
}
