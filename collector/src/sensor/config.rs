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
    /// Variables of the environment that are read when a program is run, by name. What is not named stays in the kernel,
    /// for environments hold secrets. Names that hold a `=` or a NUL are left out, and so is what comes after the 64th.
    pub environment: Vec<String>,
    /// When 32-bit system calls are watched.
    pub compat: CompatWatch,
    /// How long they are watched on when nobody makes any more: to begin takes milliseconds, in which the next one is not
    /// seen.
    pub compat_lingers: Duration,
    /// Where sockets are looked up that are older than the sensor.
    pub older_sockets: OlderSockets,
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

/// When 32-bit system calls are watched: that costs every system call of the node about 150 ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CompatWatch {
    /// From when a 32-bit program is seen to run, but for the first milliseconds, until a minute after the last one has
    /// ended. A 64-bit program that makes 32-bit calls (`int 0x80`) is seen when it does so meanwhile.
    #[default]
    OnSight,
    /// From the beginning.
    Always,
}

/// Where sockets are looked up that are older than the sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OlderSockets {
    /// In the kernel; in /proc where it has no iterator over them, or refuses it.
    #[default]
    Kernel,
    /// In /proc, which tells less.
    Proc,
}

/// Credentials, keys and tokens; where Kubernetes and container runtimes keep what they obey; the kernel's own levers,
/// for which writing counts as well.
const WATCHED: &[&str] = &[
    "shadow",
    "gshadow",
    "sudoers",
    "sudoers.d",
    "pam.d",
    "pam.conf",
    "pwquality.conf",
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

/// What makes programs load or run other code, leave no history, speak to a cluster or daemon, or through a proxy; and who
/// logged in from where.
const ENVIRONMENT: &[&str] = &[
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "LD_AUDIT",
    "GLIBC_TUNABLES",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "PERL5LIB",
    "PERL5OPT",
    "RUBYOPT",
    "RUBYLIB",
    "NODE_OPTIONS",
    "JAVA_TOOL_OPTIONS",
    "GIT_SSH_COMMAND",
    "HISTFILE",
    "HISTFILESIZE",
    "HISTSIZE",
    "HISTCONTROL",
    "KUBECONFIG",
    "DOCKER_HOST",
    "CONTAINERD_ADDRESS",
    "SSH_CONNECTION",
    "SSH_ORIGINAL_COMMAND",
    "SUDO_USER",
    "SUDO_COMMAND",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
];

impl Default for SensorConfig {
    fn default() -> Self {
        SensorConfig {
            ring_bytes: 16 << 20,
            watched: WATCHED.iter().map(|name| (*name).to_owned()).collect(),
            traffic_every: Duration::from_secs(30),
            flows: FlowLimits::default(),
            environment: ENVIRONMENT.iter().map(|name| (*name).to_owned()).collect(),
            compat: CompatWatch::default(),
            compat_lingers: Duration::from_secs(60),
            older_sockets: OlderSockets::default(),
            object: None,
        }
    }
}
