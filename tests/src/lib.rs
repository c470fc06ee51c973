//! What the end-to-end tests in `tests/tests` share: finding the programs, running them, and saying why a privileged
//! test did not run.

pub mod calls;
pub mod ring;

use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take that a test waits for. Generous: machines are slow and shared.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The tactics of the reference attack's stages, in order.
pub const STORY: [&str; 8] = [
    "initial-access",
    "execution",
    "privilege-escalation",
    "persistence",
    "defense-evasion",
    "command-and-control",
    "collection",
    "exfiltration",
];

/// Makes sure that an incident tells the whole [`STORY`], with whatever between, and that the hidden container is linked
/// to the manifest that it was started from.
pub fn assert_tells_the_story(incident: &Value) {
    let stages = incident["stages"].as_array().expect("an incident has stages");
    let mut at = 0;
    for wanted in STORY {
        let found = stages[at..].iter().position(|s| s["tactic"] == wanted);
        at += found.unwrap_or_else(|| panic!("no {wanted} from stage {at} on: {incident:#}")) + 1;
    }
    let planted = stages.iter().find(|s| s["tactic"] == "defense-evasion").expect("it is in the story");
    assert_eq!(planted["link"]["kind"], "wrote-started", "{planted:#}");
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the project").to_path_buf()
}

/// One of the project's programs (`lanner`, `lannerd`), built as these tests were.
pub fn program(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        // target/debug/deps/TEST lies two folders below target/debug.
        let folder = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.to_path_buf()));
        let folder = folder.expect("a test lies in target/PROFILE/deps");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--locked", "-p", "lanner", "-p", "lanner-collector", "--bins"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let built = build.current_dir(root()).status().expect("cargo runs");
        assert!(built.success(), "the programs do not build");
        folder
    });
    folder.join(name)
}

/// A command of one of the project's programs, in an environment of its own: the tester's terminal and settings do not
/// matter.
pub fn command(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

/// Whether a test that loads eBPF can run. When it cannot, see [`not_run`].
pub fn privileged() -> bool {
    let missing = missing();
    if let Some(why) = &missing {
        not_run(why);
    }
    missing.is_none()
}

/// Whether a disposable node can be made here: as root, with the packages that `node.sh packages` names. When it cannot,
/// see [`not_run`].
pub fn has_a_nodes_parts() -> bool {
    const TOOLS: [&str; 10] =
        ["busybox", "cc", "containerd", "ctr", "curl", "ip", "nsenter", "runc", "tini", "unshare"];
    const FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let found = |tool: &&str| FOLDERS.iter().any(|folder| Path::new(folder).join(tool).exists());
    let missing: Vec<&str> = TOOLS.into_iter().filter(|tool| !found(tool)).collect();
    if !is_root {
        not_run("it makes a Kubernetes node, which needs root");
    } else if !missing.is_empty() {
        let missing = missing.join(", ");
        not_run(format!("{missing} missing; demo-scenarios/node/node.sh packages names Debian's packages"));
    }
    is_root && missing.is_empty()
}

/// Says that the calling test does not run here, and why, past the harness's capture, so that nobody takes it for run.
///
/// # Panics
/// Where it must run: `LANNER_REQUIRE_PRIVILEGED` is set.
pub fn not_run(why: impl Display) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(std::env::var_os("LANNER_REQUIRE_PRIVILEGED").is_none(), "{test} must run here, and cannot: {why}");
    // The harness captures what the macros print, and not this; without a stderr there is nobody to tell.
    let _ = writeln!(io::stderr(), "{test}: not run: {why}");
}

/// Says that a test has nothing to try on this machine, whatever is required: its kernel or processor has no such thing.
pub fn not_here(why: impl Display) {
    let thread = std::thread::current();
    let _ = writeln!(io::stderr(), "{}: nothing to try: {why}", thread.name().unwrap_or("a test"));
}

/// What is missing to load eBPF: capabilities, by what the kernel says of this process.
fn missing() -> Option<String> {
    const SYS_ADMIN: u64 = 1 << 21;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|l| l.strip_prefix("CapEff:")).unwrap_or("0");
    let effective = u64::from_str_radix(effective.trim(), 16).unwrap_or(0);
    if effective & SYS_ADMIN == 0 {
        return Some("it loads eBPF programs, which needs root".to_owned());
    }
    let btf = Path::new("/sys/kernel/btf/vmlinux");
    (!btf.exists()).then(|| format!("this kernel has no {}", btf.display()))
}

/// JSON lines.
pub fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Makes a file that can be run. A process of its own writes it: one that is open for writing cannot be run, and children
/// that other tests make meanwhile have a copy of all that this process has open, until they run something themselves.
///
/// # Panics
/// When it cannot be written.
pub fn executable(path: &Path, content: &[u8]) {
    let mut shell = Command::new("sh");
    let script = r#"cat >"$0" && chmod 755 "$0""#;
    let mut writes = shell.args(["-c", script]).arg(path).stdin(Stdio::piped()).spawn().expect("sh starts");
    writes.stdin.take().expect("it is a pipe").write_all(content).expect("it is read");
    assert!(writes.wait().expect("it ends").success(), "{} cannot be written", path.display());
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none for [`PATIENCE`].
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A program at work whose JSON lines are read one by one. It is ended when this goes.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it.
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe")).lines();
        Running { child, lines }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its next line of a type.
    pub fn next_of(&mut self, wanted: &str) -> Value {
        for line in self.lines.by_ref() {
            let line: Value = serde_json::from_str(&line.expect("lines are text")).expect("lines are JSON");
            if line["type"] == wanted {
                return line;
            }
        }
        panic!("it ended without a line of type {wanted}")
    }

    /// Asks it to end (SIGINT), and gives the lines that it still had to say and its exit status.
    pub fn stop(mut self) -> (Vec<Value>, Option<i32>) {
        signal(self.pid(), libc::SIGINT);
        let mut rest = Vec::new();
        for line in self.lines.by_ref() {
            rest.push(serde_json::from_str(&line.expect("lines are text")).expect("lines are JSON"));
        }
        let status = self.child.wait().expect("it ends");
        (rest, status.code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a child of this process.
pub fn signal(pid: u32, signal: i32) {
    let pid = libc::pid_t::try_from(pid).expect("pids are small");
    // SAFETY: kill takes no pointers; the pid is a child's that has not been waited for, so that it is nobody else's.
    #[allow(unsafe_code)]
    let sent = unsafe { libc::kill(pid, signal) };
    assert_eq!(sent, 0, "cannot signal {pid}");
}
