//! What may be set.

use std::path::PathBuf;
use std::time::Duration;

use lanner_collector_abi::UDP_FLOWS;

/// How the sensor is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensorConfig {
    /// Bytes of the ring buffer: a power of two, at least a page. What the kernel writes while nobody reads must fit.
    pub ring_bytes: u32,
    /// Names worth an event when a file of this name, or at most three directories below one of this name, is opened for
    /// reading. At most 31 bytes each; longer ones are left out, and so is what comes after the 256th.
    pub watched: Vec<String>,
    /// How often it is told how far connections have got that have lived as long as that.
    pub traffic_every: Duration,
    /// How UDP flows are followed.
    pub flows: FlowLimits,
    /// Another build of the in-kernel programs, in the place of the one that is built in.
    pub object: Option<PathBuf>,
}

/// How many UDP flows are followed, and when they are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowLimits {
    /// How many at once. A datagram of a flow that finds no room is counted as lost. At least 1.
    pub room: u32,
    /// How often at most, as long as datagrams pass.
    pub update: Duration,
    /// A flow on which nothing has passed for so long has ended.
    pub silent: Duration,
}

impl Default for FlowLimits {
    fn default() -> Self {
        FlowLimits { room: UDP_FLOWS, update: Duration::from_secs(10), silent: Duration::from_secs(60) }
    }
}

/// Credentials, keys and tokens; where Kubernetes and container runtimes keep what they obey; the kernel's own levers,
/// for which writing counts as well.
const WATCHED: &[&str] = &[
    "shadow",
    "gshadow",
    "sudoers",
    "sudoers.d",
    ".ssh",
    "id_rsa",
    "id_ed25519",
    "id_ecdsa",
    "authorized_keys",
    "ssh_host_rsa_key",
    "ssh_host_ed25519_key",
    ".aws",
    ".azure",
    ".gcloud",
    "gcloud",
    ".kube",
    "kubeconfig",
    "admin.conf",
    "kubelet.conf",
    ".docker",
    ".gnupg",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    ".vault-token",
    ".bash_history",
    "serviceaccount",
    "secrets",
    "token",
    "pki",
    "manifests",
    "static-pods",
    "docker.sock",
    "containerd.sock",
    "crontab",
    "cron.d",
    "crontabs",
    "ld.so.preload",
    "core_pattern",
    "modprobe",
    "release_agent",
    "uevent_helper",
    "sysrq-trigger",
    "binfmt_misc",
    "kcore",
];

impl Default for SensorConfig {
    fn default() -> Self {
        SensorConfig {
            ring_bytes: 16 << 20,
            watched: WATCHED.iter().map(|name| (*name).to_owned()).collect(),
            traffic_every: Duration::from_secs(30),
            flows: FlowLimits::default(),
            object: None,
        }
    }
}
