//! What only `/proc` tells of a process that already runs: its arguments are in its own memory, which the kernel's
//! iterator cannot read.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use lanner_core::event::{Args, BootTime, Environment, Text};

use super::environment::Variables;

/// As many bytes of arguments as the programs read.
const ARGS_MAX: u64 = 2 * 4095;
/// Bytes of an environment that are read.
const ENVIRONMENT_MAX: u64 = 128 * 1024;
/// Nanoseconds of the tick in which `/proc/PID/stat` gives a start time (`USER_HZ` is 100 on every architecture we build for).
const TICK: u64 = 10_000_000;
/// The inode number of the machine's first pid namespace (`PROC_PID_INIT_INO`).
const FIRST_PID_NAMESPACE: u64 = 0xefff_fffc;

/// A view of processes through `/proc`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proc {
    /// The pid namespace whose numbers it shows.
    namespace: u32,
}

impl Proc {
    /// Opens the view. The error says in words why `/proc` cannot be used.
    pub(crate) fn open() -> Result<Self, String> {
        let own = fs::metadata("/proc/self/ns/pid").map_err(|e| format!("/proc is not readable: {e}"))?;
        let me = fs::read_link("/proc/self").map_err(|e| format!("/proc is not readable: {e}"))?;
        if me.as_os_str().as_encoded_bytes() != std::process::id().to_string().as_bytes() {
            return Err("/proc shows the processes of another pid namespace than the collector's".to_owned());
        }
        let namespace = u32::try_from(own.ino()).map_err(|_| "the pid namespace has no usable number".to_owned())?;
        Ok(Proc { namespace })
    }

    /// Whether it shows all of the machine's processes.
    pub(crate) fn shows_machine(self) -> bool {
        u64::from(self.namespace) == FIRST_PID_NAMESPACE
    }

    /// The pid that a process has here, of those it has in each of its namespaces.
    pub(crate) fn pid_of(self, pids: &[u32], namespaces: &[u32]) -> Option<u32> {
        namespaces.iter().position(|ns| *ns == self.namespace).and_then(|i| pids.get(i)).copied()
    }

    /// The arguments and environment of the process with this pid here, if it is the one that started then.
    pub(super) fn memory(self, pid: u32, start: BootTime, variables: &Variables) -> Option<(Args, Environment)> {
        let read = |name: &str, max: u64| {
            let mut bytes = Vec::new();
            File::open(format!("/proc/{pid}/{name}")).ok()?.take(max + 1).read_to_end(&mut bytes).ok()?;
            Some((bytes.len() as u64 > max, bytes))
        };
        let (args_cut, args) = read("cmdline", ARGS_MAX)?;
        let (env_cut, env) = read("environ", ENVIRONMENT_MAX).unwrap_or_default();
        let list = env.split(|b| *b == 0).filter(|variable| variables.may_read(variable)).map(Text::from).collect();
        // Asked after: the pid was this process's until now.
        Self::is_process(pid, start).then(|| (split_args(&args, args_cut), Environment { list, truncated: env_cut }))
    }

    /// Whether the process with this pid here is the one that started then, as exactly as can be told (10 ms).
    pub(crate) fn is_process(pid: u32, start: BootTime) -> bool {
        fs::read(format!("/proc/{pid}/stat")).is_ok_and(|stat| start_ticks(&stat) == Some(start.0 / TICK))
    }
}

/// Field 22 of `/proc/PID/stat`; the second one is a name in parentheses that may contain anything.
fn start_ticks(stat: &[u8]) -> Option<u64> {
    let after_name = stat.iter().rposition(|b| *b == b')')?;
    let fields = std::str::from_utf8(stat.get(after_name + 1..)?).ok()?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Arguments as they lie in a process's memory, a NUL after each.
pub(super) fn split_args(bytes: &[u8], truncated: bool) -> Args {
    let bytes = bytes.get(..ARGS_MAX as usize).unwrap_or(bytes);
    // A process may overwrite its arguments and leave out the last NUL.
    let bytes = if truncated { bytes } else { bytes.strip_suffix(&[0]).unwrap_or(bytes) };
    if bytes.is_empty() {
        return Args { list: Vec::new(), truncated };
    }
    Args { list: bytes.split(|b| *b == 0).map(Text::from).collect(), truncated }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_at_their_nuls() {
        let split = |bytes: &[u8], cut| split_args(bytes, cut).list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(split(b"sh\0-c\0echo a b\0", false), ["sh", "-c", "echo a b"]);
        assert_eq!(split(b"sh\0\0x\0", false), ["sh", "", "x"]);
        assert_eq!(split(b"nginx: worker process", false), ["nginx: worker process"]);
        assert_eq!(split(b"a\0bc", true), ["a", "bc"]);
        assert!(split(b"", false).is_empty());
    }

    #[test]
    fn the_start_time_is_found_behind_any_name() {
        let stat = b"12 (a) b (c) S 1 12 12 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 10";
        assert_eq!(start_ticks(stat), Some(4711));
        assert_eq!(start_ticks(b"12 (x"), None);
        assert_eq!(start_ticks(b""), None);
    }

    #[test]
    fn own_arguments_are_found_only_under_the_own_start_time() {
        let proc = Proc::open().expect("/proc is there");
        let stat = fs::read("/proc/self/stat").expect("own stat");
        let start = start_ticks(&stat).expect("a start time") * TICK;
        let variables = Variables::new(&["PATH".to_owned()]);
        let (args, env) = proc.memory(std::process::id(), BootTime(start), &variables).expect("own arguments");
        assert_eq!(args.list.len(), std::env::args().count());
        assert_eq!(env.get("PATH"), std::env::var_os("PATH").as_deref().map(std::ffi::OsStr::as_encoded_bytes));
        assert!(env.list.len() <= 1 && !env.truncated);
        assert_eq!(proc.memory(std::process::id(), BootTime(start + TICK), &variables), None);
    }
}
