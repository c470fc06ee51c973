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
        "T1003.007" => "Proc Filesystem",
        "T1003.008" => "/etc/passwd and /etc/shadow",
        "T1005" => "Data from Local System",
        "T1016" => "System Network Configuration Discovery",
        "T1021" => "Remote Services",
        "T1021.002" => "SMB/Windows Admin Shares",
        "T1021.004" => "SSH",
        "T1033" => "System Owner/User Discovery",
        "T1036" => "Masquerading",
        "T1036.004" => "Masquerade Task or Service",
        "T1036.005" => "Match Legitimate Resource Name or Location",
        "T1037.004" => "RC Scripts",
        "T1040" => "Network Sniffing",
        "T1041" => "Exfiltration Over C2 Channel",
        "T1046" => "Network Service Discovery",
        "T1048" => "Exfiltration Over Alternative Protocol",
        "T1048.003" => "Exfiltration Over Unencrypted Non-C2 Protocol",
        "T1053.002" => "At",
        "T1053.003" => "Cron",
        "T1053.006" => "Systemd Timers",
        "T1055" => "Process Injection",
        "T1057" => "Process Discovery",
        "T1059" => "Command and Scripting Interpreter",
        "T1059.004" => "Unix Shell",
        "T1059.006" => "Python",
        "T1068" => "Exploitation for Privilege Escalation",
        "T1070.002" => "Clear Linux or Mac System Logs",
        "T1070.003" => "Clear Command History",
        "T1070.004" => "File Deletion",
        "T1071" => "Application Layer Protocol",
        "T1071.001" => "Web Protocols",
        "T1071.004" => "DNS",
        "T1072" => "Software Deployment Tools",
        "T1074.001" => "Local Data Staging",
        "T1078.003" => "Local Accounts",
        "T1082" => "System Information Discovery",
        "T1083" => "File and Directory Discovery",
        "T1090.001" => "Internal Proxy",
        "T1090.003" => "Multi-hop Proxy",
        "T1095" => "Non-Application Layer Protocol",
        "T1098.004" => "SSH Authorized Keys",
        "T1105" => "Ingress Tool Transfer",
        "T1110" => "Brute Force",
        "T1113" => "Screen Capture",
        "T1133" => "External Remote Services",
        "T1136.001" => "Local Account",
        "T1140" => "Deobfuscate/Decode Files or Information",
        "T1190" => "Exploit Public-Facing Application",
        "T1204.002" => "Malicious File",
        "T1222.002" => "Linux and Mac File and Directory Permissions Modification",
        "T1485" => "Data Destruction",
        "T1486" => "Data Encrypted for Impact",
        "T1489" => "Service Stop",
        "T1490" => "Inhibit System Recovery",
        "T1496" => "Resource Hijacking",
        "T1499" => "Endpoint Denial of Service",
        "T1505.003" => "Web Shell",
        "T1518.001" => "Security Software Discovery",
        "T1528" => "Steal Application Access Token",
        "T1529" => "System Shutdown/Reboot",
        "T1531" => "Account Access Removal",
        "T1542" => "Pre-OS Boot",
        "T1543" => "Create or Modify System Process",
        "T1543.002" => "Systemd Service",
        "T1543.005" => "Container Service",
        "T1546" => "Event Triggered Execution",
        "T1546.004" => "Unix Shell Configuration Modification",
        "T1546.016" => "Installer Packages",
        "T1546.017" => "Udev Rules",
        "T1547.006" => "Kernel Modules and Extensions",
        "T1547.013" => "XDG Autostart Entries",
        "T1548" => "Abuse Elevation Control Mechanism",
        "T1548.001" => "Setuid and Setgid",
        "T1548.003" => "Sudo and Sudo Caching",
        "T1552.001" => "Credentials In Files",
        "T1552.004" => "Private Keys",
        "T1552.005" => "Cloud Instance Metadata API",
        "T1552.007" => "Container API",
        "T1556.003" => "Pluggable Authentication Modules",
        "T1560.001" => "Archive via Utility",
        "T1561.001" => "Disk Content Wipe",
        "T1562.001" => "Disable or Modify Tools",
        "T1562.004" => "Disable or Modify System Firewall",
        "T1562.012" => "Disable or Modify Linux Audit System",
        "T1563.001" => "SSH Hijacking",
        "T1564" => "Hide Artifacts",
        "T1564.001" => "Hidden Files and Directories",
        "T1564.013" => "Bind Mounts",
        "T1567" => "Exfiltration Over Web Service",
        "T1567.002" => "Exfiltration to Cloud Storage",
        "T1569.003" => "Systemctl",
        "T1570" => "Lateral Tool Transfer",
        "T1571" => "Non-Standard Port",
        "T1572" => "Protocol Tunneling",
        "T1574.006" => "Dynamic Linker Hijacking",
        "T1609" => "Container Administration Command",
        "T1610" => "Deploy Container",
        "T1611" => "Escape to Host",
        "T1613" => "Container and Resource Discovery",
        "T1620" => "Reflective Code Loading",
        _ => return None,
    })
}
