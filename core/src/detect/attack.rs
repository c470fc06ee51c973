//! MITRE ATT&CK's tactics and the names of the techniques that our rules speak of (Enterprise matrix, v17).

use std::fmt;

/// A tactic, in the order of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Tactic {
    Reconnaissance,
    ResourceDevelopment,
    InitialAccess,
    Execution,
    Persistence,
    PrivilegeEscalation,
    DefenseEvasion,
    CredentialAccess,
    Discovery,
    LateralMovement,
    Collection,
    CommandAndControl,
    Exfiltration,
    Impact,
}

impl Tactic {
    /// All, in the order of the matrix.
    pub const ALL: [Tactic; 14] = [
        Tactic::Reconnaissance,
        Tactic::ResourceDevelopment,
        Tactic::InitialAccess,
        Tactic::Execution,
        Tactic::Persistence,
        Tactic::PrivilegeEscalation,
        Tactic::DefenseEvasion,
        Tactic::CredentialAccess,
        Tactic::Discovery,
        Tactic::LateralMovement,
        Tactic::Collection,
        Tactic::CommandAndControl,
        Tactic::Exfiltration,
        Tactic::Impact,
    ];

    /// ATT&CK's name in kebab-case, such as `command-and-control`.
    pub fn id(self) -> &'static str {
        match self {
            Tactic::Reconnaissance => "reconnaissance",
            Tactic::ResourceDevelopment => "resource-development",
            Tactic::InitialAccess => "initial-access",
            Tactic::Execution => "execution",
            Tactic::Persistence => "persistence",
            Tactic::PrivilegeEscalation => "privilege-escalation",
            Tactic::DefenseEvasion => "defense-evasion",
            Tactic::CredentialAccess => "credential-access",
            Tactic::Discovery => "discovery",
            Tactic::LateralMovement => "lateral-movement",
            Tactic::Collection => "collection",
            Tactic::CommandAndControl => "command-and-control",
            Tactic::Exfiltration => "exfiltration",
            Tactic::Impact => "impact",
        }
    }

    /// The tactic that a rule's tag names: `mitre_` and its name with underscores, as Falco's rules write it.
    pub fn from_tag(tag: &str) -> Option<Tactic> {
        let name = tag.strip_prefix("mitre_")?.replace('_', "-");
        Tactic::ALL.into_iter().find(|t| t.id() == name)
    }
}

impl fmt::Display for Tactic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The name of a technique id such as `T1611`; `None` for one that no rule of ours uses.
pub fn technique_name(id: &str) -> Option<&'static str> {
    Some(match id {
        "T1003" => "OS Credential Dumping",
        "T1041" => "Exfiltration Over C2 Channel",
        "T1048" => "Exfiltration Over Alternative Protocol",
        "T1048.003" => "Exfiltration Over Unencrypted Non-C2 Protocol",
        "T1053.003" => "Cron",
        "T1055" => "Process Injection",
        "T1059" => "Command and Scripting Interpreter",
        "T1059.004" => "Unix Shell",
        "T1059.006" => "Python",
        "T1068" => "Exploitation for Privilege Escalation",
        "T1071" => "Application Layer Protocol",
        "T1071.001" => "Web Protocols",
        "T1105" => "Ingress Tool Transfer",
        "T1133" => "External Remote Services",
        "T1543" => "Create or Modify System Process",
        "T1543.005" => "Container Service",
        "T1552.001" => "Credentials In Files",
        "T1560.001" => "Archive via Utility",
        "T1564" => "Hide Artifacts",
        "T1571" => "Non-Standard Port",
        "T1609" => "Container Administration Command",
        "T1610" => "Deploy Container",
        "T1611" => "Escape to Host",
        "T1620" => "Reflective Code Loading",
        _ => return None,
    })
}
