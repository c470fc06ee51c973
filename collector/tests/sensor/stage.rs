//! What the tests stand on: one sensor for all of them, and what it saw.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use lanner_collector::sensor::{Sensor, SensorConfig, now};
use lanner_core::event::{BootTime, Event, FileId, Hook, HookState, Payload, ProcessKey};

/// Longer than anything here takes, even on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    sensor: Sensor,
    seen: Vec<Event>,
}

/// The default settings, with the object that `cargo xtask ebpf --check` wants tested.
pub(crate) fn config() -> SensorConfig {
    SensorConfig { object: std::env::var_os("LANNER_EBPF_OBJECT").map(Into::into), ..SensorConfig::default() }
}

/// A sensor of one's own; `None` (and a word why) where it cannot run.
pub(crate) fn sensor(config: &SensorConfig) -> Option<Sensor> {
    match Sensor::load(config) {
        Ok(sensor) => Some(sensor),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

/// The sensor that the tests share, or `None` where it cannot run.
pub(crate) fn stage() -> Option<&'static Mutex<Stage>> {
    static STAGE: OnceLock<Result<Mutex<Stage>, String>> = OnceLock::new();
    let load = || Sensor::load(&config()).map(|sensor| Mutex::new(Stage { sensor, seen: Vec::new() }));
    match STAGE.get_or_init(|| load().map_err(|error| error.to_string())) {
        Ok(stage) => Some(stage),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

impl Stage {
    /// All events so far.
    pub(crate) fn seen(&self) -> impl Iterator<Item = &Event> {
        self.seen.iter()
    }

    /// What the sensor stands on here.
    pub(crate) fn hooks(&self) -> &[Hook] {
        self.sensor.hooks()
    }

    /// Whether this kernel allows the hook.
    pub(crate) fn has(&self, hook: &str) -> bool {
        self.sensor.hooks().iter().any(|h| h.name == hook && h.state == HookState::Attached)
    }

    fn drain(&mut self) {
        let before = self.seen.len();
        let losses = self.sensor.drain(&mut self.seen);
        assert_eq!(losses, [], "nothing is lost at this pace");
        let order = |e: &Event| (e.header.time, e.header.cpu);
        assert!(self.seen[before.saturating_sub(1)..].is_sorted_by_key(order), "events are in their order");
        assert!(self.seen[before..].iter().all(|e| e.header.time < self.sensor.watermark()));
    }
}

/// The first event, past or to come, that `find` makes something of.
pub(crate) fn expect<T>(stage: &Mutex<Stage>, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        // Another test's failure is no reason to fail here.
        let mut stage = stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        stage.drain();
        if let Some(found) = stage.seen.iter().find_map(&find) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "no event tells: {what}");
        stage.sensor.wait(Duration::from_millis(4)).expect("waiting works");
    }
}

/// All events so far of a process that has ended; its end is awaited.
pub(crate) fn life_of(stage: &Mutex<Stage>, pid: u32) -> Vec<Event> {
    expect(stage, &format!("{pid} ends"), |e| {
        (e.header.process.pid == pid && matches!(e.payload, Payload::Exit(_))).then_some(())
    });
    let stage = stage.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    stage.seen.iter().filter(|e| e.header.process.pid == pid).cloned().collect()
}

/// Runs a command to its end and returns its pid, and what it did.
pub(crate) fn perform(stage: &Mutex<Stage>, command: &mut Command) -> (u32, Vec<Event>) {
    let mut child: Child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let pid = child.id();
    child.wait().expect("it ends");
    (pid, life_of(stage, pid))
}

/// `true`, after `first` was done in its process.
pub(crate) fn after(first: impl FnMut() -> io::Result<()> + Send + Sync + 'static) -> Command {
    let mut command = Command::new("true");
    // SAFETY: what these tests do there are system calls alone.
    unsafe { command.pre_exec(first) };
    command
}

/// What a system call returned, or its error.
pub(crate) fn done(result: i64) -> io::Result<i64> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Tells threads that they are done, also when what is asserted meanwhile does not hold: else they would be waited for
/// for ever.
pub(crate) struct Ends<'a> {
    pub(crate) done: &'a AtomicBool,
    /// Where one of them may wait for a connection.
    pub(crate) accepts_at: Option<SocketAddr>,
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(there) = self.accepts_at {
            drop(TcpStream::connect(there));
        }
    }
}

/// `sh -c SCRIPT`.
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).stdin(std::process::Stdio::null());
    command
}

/// This test binary again, to do what the ignored test `name` does.
pub(crate) fn helper(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--ignored", "--exact", name, "--nocapture"]).stdout(std::process::Stdio::null());
    command
}

/// The inode number of a namespace, as `/proc/PID/ns` shows it.
pub(crate) fn namespace(pid: &str, name: &str) -> u32 {
    let file = std::fs::metadata(format!("/proc/{pid}/ns/{name}")).expect("a namespace");
    u32::try_from(file.ino()).expect("a namespace's number")
}

/// This process, as far as /proc can tell: its start only to 10 ms.
pub(crate) fn is_me(key: ProcessKey) -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("own stat");
    let ticks = stat.rsplit(')').next().and_then(|s| s.split_ascii_whitespace().nth(19)?.parse::<u64>().ok());
    key.pid == std::process::id() && ticks == Some(key.start.0 / 10_000_000)
}

/// The kernel's own number of a file: its `dev_t` has 20 bits of minor, that of `stat` is laid out otherwise.
pub(crate) fn file_id(path: impl AsRef<Path>) -> FileId {
    let file = std::fs::metadata(path).expect("the file is there");
    let dev = u64::from(libc::major(file.dev())) << 20 | u64::from(libc::minor(file.dev()));
    FileId { dev, ino: file.ino() }
}

/// A moment ago, at the sensor's clock.
pub(crate) fn clock() -> BootTime {
    now()
}
