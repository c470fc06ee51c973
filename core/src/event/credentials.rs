//! What a process may do, and how that changes.

use super::{Call, Credentials};

/// All of a thread's credentials; users and groups as the initial user namespace numbers them.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Privileges {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user, which may be taken again.
    pub suid: u32,
    /// The user as whom files are used.
    pub fsuid: u32,
    /// Real group.
    pub gid: u32,
    /// Effective group.
    pub egid: u32,
    /// Saved group.
    pub sgid: u32,
    /// The group as which files are used.
    pub fsgid: u32,
    /// Capabilities, a bit each (`1 << CAP_SYS_ADMIN`, ...): what it may do now.
    #[serde(serialize_with = "bits")]
    pub cap_effective: u64,
    /// What it may make effective.
    #[serde(serialize_with = "bits")]
    pub cap_permitted: u64,
    /// What programs with such file capabilities inherit.
    #[serde(serialize_with = "bits")]
    pub cap_inheritable: u64,
    /// What no exec gets beyond.
    #[serde(serialize_with = "bits")]
    pub cap_bounding: u64,
    /// What any program inherits.
    #[serde(serialize_with = "bits")]
    pub cap_ambient: u64,
    /// The user namespace (inode number) in which the capabilities count.
    pub user_ns: u32,
    /// How many supplementary groups it has.
    pub group_count: u32,
    /// The first of them.
    pub groups: Vec<u32>,
}

impl Privileges {
    /// The part that every process is known by.
    pub fn credentials(&self, login_uid: Option<u32>) -> Credentials {
        Credentials {
            uid: self.uid,
            euid: self.euid,
            gid: self.gid,
            egid: self.egid,
            login_uid,
            cap_effective: self.cap_effective,
            cap_permitted: self.cap_permitted,
        }
    }
}

/// A thread's credentials changed. Each thread has its own; C libraries change all of a process's, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CredentialsChange {
    /// By which call; `user_namespace` when it came into another user namespace, of which a [`super::NamespaceChange`] tells.
    pub call: Call,
    /// Before.
    pub before: Privileges,
    /// After.
    pub now: Privileges,
}

/// As the kernel's /proc shows them: 16 hex digits.
fn bits<S: serde::Serializer>(bits: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{bits:016x}"))
}
