//! `cargo xtask node`: drives `demo-scenarios/node/node.sh`, which says what the node is and needs no cargo itself.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

/// What to do with the node. Its directories are taken from the environment: NODE and CACHE, see node.sh.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Start the node and containerd
    Up,
    /// Start the kubelet on it, with static pods from the node's /etc/kubernetes/manifests
    Kubelet,
    /// Run a command on it, as the node's root
    Run {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Make a container image from files and import it
    Image {
        /// Its name and tag
        name: OsString,
        /// The command that it runs, split at spaces
        entry: OsString,
        /// SRC=DST pairs, or `busybox-links=` for links to busybox's applets
        #[arg(required = true)]
        files: Vec<OsString>,
    },
    /// End it; no process, mount or control group stays
    Down,
    /// Name the Debian packages that it needs
    Packages,
    /// Build the kubelet from Debian's source package: minutes, once
    Build,
}

impl Command {
    fn into_args(self) -> Vec<OsString> {
        match self {
            Command::Up => vec!["up".into()],
            Command::Kubelet => vec!["kubelet".into()],
            Command::Run { command } => [vec!["run".into()], command].concat(),
            Command::Image { name, entry, files } => [vec!["image".into(), name, entry], files].concat(),
            Command::Down => vec!["down".into()],
            Command::Packages => vec!["packages".into()],
            Command::Build => vec!["build".into()],
        }
    }
}

/// Runs the script; its exit status becomes ours.
pub(crate) fn run(command: Command) -> Result<ExitCode> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-scenarios/node/node.sh");
    let status = std::process::Command::new(&script)
        .args(command.into_args())
        .status()
        .with_context(|| format!("cannot run {}", script.display()))?;
    // A status above 255 is none, and a script that a signal ended has failed.
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
