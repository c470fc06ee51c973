//! What the tests stand on: one sensor for all of them, and what it saw.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lanner_collector::sensor::{Sensor, SensorConfig, node_info, now};
use lanner_core::event::{BootTime, Event, FileId, Hook, HookState, Loss, LossCause, Payload, ProcessKey};

/// Longer than anything here takes, even on a machine busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The sensor, and all that it saw.
struct Shared {
    sensor: Sensor,
    seen: Vec<Event>,
    /// How many runs of its programs, for whomever, the kernel skipped.
    skipped: usize,
}

/// What a test sees of it: what happened since it began. Numbers of processes, files, descriptors, ports and networks are
/// used again, and what another test did with one of them, earlier, looks like this one's own.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    shared: &'static Mutex<Shared>,
    begun: BootTime,
}

/// The default settings, with the object that `cargo xtask ebpf --check` wants tested.
pub(crate) fn config() -> SensorConfig {
    SensorConfig { object: std::env::var_os("LANNER_EBPF_OBJECT").map(Into::into), ..SensorConfig::default() }
}

/// Events name processes by the machine's numbers, and the tests by those that they know.
fn load(config: &SensorConfig) -> Result<Sensor, String> {
    /// `PROC_PID_INIT_INO` (include/linux/proc_ns.h).
    const FIRST_PID_NAMESPACE: u32 = 0xefff_fffc;
    if namespace("self", "pid") != FIRST_PID_NAMESPACE {
        return Err("in a pid namespace of its own a test does not know its processes' numbers".to_owned());
    }
    Sensor::load(config).map_err(|error| error.to_string())
}

/// A sensor of one's own; `None` (and a word why) where it cannot run.
pub(crate) fn sensor(config: &SensorConfig) -> Option<Sensor> {
    match load(config) {
        Ok(sensor) => Some(sensor),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

/// The sensor that the tests share, or `None` where it cannot run.
pub(crate) fn stage() -> Option<Stage> {
    static SHARED: OnceLock<Result<Mutex<Shared>, String>> = OnceLock::new();
    // While all tests wait for something else nobody reads, and the whole machine writes.
    let roomy = || SensorConfig { ring_bytes: 32 << 20, ..config() };
    let shared = || load(&roomy()).map(|sensor| Mutex::new(Shared { sensor, seen: Vec::new(), skipped: 0 }));
    match SHARED.get_or_init(shared) {
        Ok(shared) => Some(Stage { shared, begun: now() }),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

impl Stage {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Another test's failure is no reason to fail here.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is seen from now on.
    pub(crate) fn anew(self) -> Stage {
        Stage { begun: now(), ..self }
    }

    /// All events so far.
    pub(crate) fn seen(&self) -> Vec<Event> {
        self.shared().since(self.begun).to_vec()
    }

    /// What the sensor stands on here.
    pub(crate) fn hooks(&self) -> Vec<Hook> {
        self.shared().sensor.hooks().to_vec()
    }

    /// Whether this kernel allows the hook.
    pub(crate) fn has(&self, hook: &str) -> bool {
        self.hooks().iter().any(|h| h.name == hook && h.state == HookState::Attached)
    }
}

impl Shared {
    fn since(&self, begun: BootTime) -> &[Event] {
        &self.seen[self.seen.partition_point(|e| e.header.time < begun)..]
    }

    fn drain(&mut self) {
        let before = self.seen.len();
        self.skipped += skipped(&self.sensor.drain(&mut self.seen));
        let order = |e: &Event| (e.header.time, e.header.cpu);
        assert!(self.seen[before.saturating_sub(1)..].is_sorted_by_key(order), "events are in their order");
        assert!(self.seen[before..].iter().all(|e| e.header.time < self.sensor.watermark()));
    }
}

/// How many runs of its programs the kernel skipped, which anybody on the machine can bring about; nothing else was lost.
pub(crate) fn skipped(losses: &[Loss]) -> usize {
    assert!(losses.iter().all(|loss| loss.cause == LossCause::Skipped), "{losses:?}");
    losses.iter().map(|loss| loss.count as usize).sum()
}

/// The first event of this process, past or to come, that `find` makes something of. Other tests run in this process, at
/// the same time: it must be told by what they cannot have as well, as long as this one has it.
pub(crate) fn expect<T>(stage: Stage, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
    let own = std::process::id();
    expect_of_anybody(stage, what, |e| if e.header.process.pid == own { find(e) } else { None })
}

/// As [`expect`], whoever did it.
pub(crate) fn expect_of_anybody<T>(stage: Stage, what: &str, find: impl Fn(&Event) -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        let mut shared = stage.shared();
        shared.drain();
        if let Some(found) = shared.since(stage.begun).iter().find_map(&find) {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "no event tells: {what}; {} runs were skipped", shared.skipped);
        shared.sensor.wait(Duration::from_millis(4)).expect("waiting works");
    }
}

/// Which process of this number this one made first.
pub(crate) fn born(stage: Stage, pid: u32) -> ProcessKey {
    expect(stage, &format!("{pid} is made"), |e| match &e.payload {
        Payload::Fork(fork) if fork.child.pid == pid => Some(fork.child),
        _ => None,
    })
}

/// All events so far of a process that has ended; its end is awaited. Those of its number while it lived, whatever else
/// their key says, and those of its key after that.
pub(crate) fn life_of(stage: Stage, process: ProcessKey) -> Vec<Event> {
    let end = expect_of_anybody(stage, &format!("{process} ends"), |e| {
        (e.header.process == process && matches!(e.payload, Payload::Exit(_))).then_some(e.header.time)
    });
    let lived = process.start..=end;
    let is_its_own = |e: &Event| {
        let by = e.header.process;
        by == process || (by.pid == process.pid && lived.contains(&e.header.time))
    };
    stage.seen().into_iter().filter(is_its_own).collect()
}

/// Runs a command to its end and returns its pid, and what it did.
pub(crate) fn perform(stage: Stage, command: &mut Command) -> (u32, Vec<Event>) {
    let stage = stage.anew();
    let mut child: Child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    child.wait().expect("it ends");
    (child.id(), life_of(stage, born(stage, child.id())))
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

/// The number of the thread that asks, as `Header::tid` has it.
pub(crate) fn this_thread() -> u32 {
    // SAFETY: no pointers.
    unsafe { libc::gettid() }.cast_unsigned()
}

/// The kernel's own number of a file: its `dev_t` has 20 bits of minor, that of `stat` is laid out otherwise.
pub(crate) fn file_id(path: impl AsRef<Path>) -> FileId {
    let file = std::fs::metadata(path).expect("the file is there");
    let dev = u64::from(libc::major(file.dev())) << 20 | u64::from(libc::minor(file.dev()));
    FileId { dev, ino: file.ino() }
}

/// The first two numbers of the running kernel's version.
pub(crate) fn kernel() -> (u32, u32) {
    let kernel = node_info(Vec::new()).kernel;
    let mut numbers = kernel.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse().ok());
    (numbers.next().expect("a version"), numbers.next().expect("and its second part"))
}

/// A moment ago, at the sensor's clock.
pub(crate) fn clock() -> BootTime {
    now()
}
