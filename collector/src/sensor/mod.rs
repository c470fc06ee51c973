//! The sensor: loads the in-kernel programs and turns what they write into events.
//!
//! - [`Sensor`]: load, [`Sensor::backfill`], then [`Sensor::drain`] every few milliseconds.
//! - [`probe`]: what this kernel and this user allow; [`node_info`]: the node.
//! - `btf`, `offsets`: where this kernel keeps what the programs read; `hooks`: how they are attached.
//! - `family`: each family's hooks, and its records made events; `record`, `container`, `proc`: what they share.
//! - `backfill`: what already runs; `order`: events into their order.

mod absent;
mod backfill;
mod blind;
mod btf;
mod cgroup;
mod clock;
mod compat;
mod config;
mod container;
mod environment;
mod error;
mod family;
mod hold;
mod hooks;
mod iterate;
mod load;
mod namecache;
mod node;
mod offsets;
mod order;
mod probe;
mod proc;
mod record;
mod ring;
mod skipped;
mod sockets;
mod tracefs;

use std::borrow::Cow;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;
use std::{fs, io};

use aya::maps::{HashMap as BpfHashMap, MapData};
use aya::{Btf, Ebpf, EbpfLoader, Endianness, VerifierLogLevel};
use lanner_collector_abi::{Variable, Watched};
use lanner_core::event::{BootTime, Event, Hook, HookLayer, HookState, Loss, LossCause, Payload, ProcessKey};

pub(crate) use clock::used_by_thread;
pub use clock::{now, used};
pub use config::{CompatWatch, FlowLimits, OlderSockets, SensorConfig};
pub use error::SensorError;
pub use node::node_info;
pub use probe::{Check, probe};

use backfill::Live;
use btf::Types;
use compat::Compat;
pub(crate) use container::{innermost as innermost_container, outer as outer_container};
use environment::Variables;
use family::{FLOWS, Found, Network, SOCKETS, TRAFFIC};
use hold::Hold;
use hooks::Attached;
use offsets::Resolved;
use order::{HOLD_BACK, Order};
pub(crate) use proc::Proc;
use ring::Ring;
use skipped::Skipped;

/// The programs, built by `cargo xtask ebpf` and committed.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../../collector-ebpf/prebuilt/lanner.bpf.o");

/// More names than the programs' map takes are left out.
const WATCHED_MAX: usize = 256;
/// Records that one drain takes at most, so that it ends however fast the kernel writes.
const RECORDS_PER_DRAIN: usize = 65_536;

/// The running sensor. Dropping it detaches everything.
#[derive(Debug)]
pub struct Sensor {
    ebpf: Ebpf,
    ring: Ring,
    hooks: Vec<Hook>,
    order: Order,
    network: Network,
    /// Empty; keeps its room between records.
    fresh: Vec<Event>,
    undecodable: u64,
    skipped: Skipped,
    variables: Variables,
    compat: Compat,
    /// Before the first hook was attached.
    started: BootTime,
    /// See [`Attached`].
    forks_from: Option<BootTime>,
    /// See [`Attached`].
    early: Vec<Found>,
    /// See [`Attached`].
    _hold: Hold,
    /// Processes that the backfill told of: a late record of their fork would tell of them twice.
    told: HashSet<ProcessKey>,
    /// See [`SensorConfig::traffic_every`]; when it was told last.
    traffic_every: Duration,
    traffic_told: BootTime,
    older_sockets: OlderSockets,
}

impl Sensor {
    /// Loads and attaches every program that this kernel allows. A refused one is a [`Hook`] that says what cannot be
    /// seen without it; an error means that nothing can.
    pub fn load(config: &SensorConfig) -> Result<Self, SensorError> {
        if !config.ring_bytes.is_power_of_two() || config.ring_bytes < 4096 {
            return Err(SensorError::RingSize(config.ring_bytes));
        }
        let missing = probe::missing_capabilities();
        if !missing.is_empty() {
            return Err(SensorError::Capabilities(missing.join(" and ")));
        }
        tracefs::ensure();
        let vmlinux = fs::read("/sys/kernel/btf/vmlinux").map_err(|e| SensorError::NoBtf(e.to_string()))?;
        let types = Types::parse(&vmlinux).ok_or_else(|| SensorError::NoBtf("it does not parse".to_owned()))?;
        let resolved = Resolved::of(&types).map_err(SensorError::Fields)?;
        let btf = Btf::parse(&vmlinux, Endianness::default()).map_err(|e| SensorError::NoBtf(e.to_string()))?;

        let object = match &config.object {
            None => Cow::Borrowed(OBJECT),
            Some(path) => {
                Cow::Owned(fs::read(path).map_err(|e| SensorError::Object(format!("{}: {e}", path.display())))?)
            }
        };
        let watched = watched(&config.watched);
        let wake_mark = u64::from(config.ring_bytes / 4);
        let lengths = watched.iter().fold(0u64, |bits, name| bits | 1 << length(name));
        let variables = Variables::new(&config.environment);
        let beginnings = variables.beginnings();
        let settings = [wake_mark, lengths, nanoseconds(config.traffic_every), own_pid(), beginnings.len() as u64];
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .verifier_log_level(VerifierLogLevel::STATS)
            .override_global("OFFSETS", &resolved.words, true)
            .override_global("CONFIG", &settings, true)
            .map_max_entries("EVENTS", config.ring_bytes)
            .map_max_entries("UDP_COUNTS", config.flows.room.max(1))
            .load(&object)
            .map_err(|e| SensorError::Object(with_causes(&e)))?;
        fill_watched(&mut ebpf, &watched).map_err(SensorError::Object)?;
        fill_environment(&mut ebpf, &beginnings).map_err(SensorError::Object)?;
        let ring = Ring::new(&mut ebpf).map_err(SensorError::Object)?;
        let skipped = Skipped::new(&mut ebpf).map_err(SensorError::Object)?;
        let network = Network::new(&mut ebpf, config.flows).map_err(SensorError::Object)?;

        let names = namecache::find(&mut ebpf, &btf);
        let started = clock::now();
        let Attached { mut hooks, forks_from, early, hold } = hooks::attach_all(&mut ebpf, &btf, &types);
        if hooks.iter().all(|h| matches!(h.state, HookState::Refused(_))) {
            let first = hooks.into_iter().find_map(|h| match h.state {
                HookState::Refused(reason) => Some(reason),
                HookState::Attached | HookState::Waiting(_) => None,
            });
            return Err(SensorError::Nothing(first.unwrap_or_default()));
        }
        hooks.extend(
            resolved.without().into_iter().map(|without| degraded("kernel fields", "this kernel lacks them", without)),
        );
        hooks.extend(proc_hook());
        hooks.extend(names.err().map(|reason| {
            degraded(
                "cache of names",
                &reason,
                "which files are renamed, linked, removed or changed: told as they were called",
            )
        }));
        let (compat, hook) = Compat::begin(&mut ebpf, &btf, &types, config);
        hooks.push(hook);
        Ok(Sensor {
            ebpf,
            ring,
            hooks,
            order: Order::default(),
            network,
            fresh: Vec::new(),
            undecodable: 0,
            skipped,
            variables,
            compat,
            started,
            forks_from,
            early,
            _hold: hold,
            told: HashSet::new(),
            traffic_every: config.traffic_every,
            traffic_told: started,
            older_sockets: config.older_sockets,
        })
    }

    /// All hooks, attached and refused.
    pub fn hooks(&self) -> &[Hook] {
        &self.hooks
    }

    /// What already ran when the hooks were attached, parents before children: call it once, before the first drain.
    /// Nothing is missing between this and what is seen live, and nothing is told twice.
    pub fn backfill(&mut self) -> Vec<Event> {
        let mut all = match backfill::list(&mut self.ebpf) {
            Ok(all) => all,
            Err(reason) => {
                self.refuse("iter/task", &reason);
                return Vec::new();
            }
        };
        // What it finds comes through the ring, behind whose processes these are.
        let iterated = match self.older_sockets {
            OlderSockets::Kernel => iterate::all(&mut self.ebpf, SOCKETS).map(drop),
            OlderSockets::Proc => Err("the settings forbid it".to_owned()),
        };
        let mut sockets = iterated.err().map(|reason| self.sockets_in_proc(&all, &reason)).unwrap_or_default();
        // A process that exec'd or forked while the iterator ran has its record in the ring by then.
        std::thread::sleep(Duration::from_nanos(HOLD_BACK));
        self.read_ring();
        let live = Live::of(self.order.waiting());
        live.join(&mut all, std::mem::take(&mut self.early));
        sockets::without_live(&mut sockets, self.order.waiting());
        let forks_from = self.forks_from;
        let is_live = |f: &Found| forks_from.is_some_and(|from| f.key.start >= from) || live.tells_of(f);
        let mut events = backfill::events(all, self.started, is_live, Proc::open().ok(), &self.variables);
        events.iter().for_each(|event| self.compat.see(event, &mut self.ebpf, &mut self.hooks));
        self.told = events.iter().map(|e| e.header.process).collect();
        events.extend(sockets);
        events
    }

    /// Sockets that are older than the sensor, where no iterator tells of them.
    fn sockets_in_proc(&mut self, all: &[Found], refused: &str) -> Vec<Event> {
        let Ok(proc) = Proc::open() else {
            self.refuse("iter/task_file", refused);
            return Vec::new();
        };
        let found = sockets::find(all, proc, self.started);
        let too_many = if found.cut { "; there are more of them than are read" } else { "" };
        self.refuse("iter/task_file", &format!("{refused}: read from /proc instead{too_many}"));
        for hook in self.hooks.iter_mut().filter(|h| h.name == "iter/task_file") {
            sockets::WITHOUT.clone_into(&mut hook.without);
        }
        found.events
    }

    /// Appends what happened to `out`, in the order (time, cpu), and returns what was lost since the last time. The
    /// youngest millisecond waits for the next drain, lest time go back. Sequence numbers are 0.
    pub fn drain(&mut self, out: &mut Vec<Event>) -> Vec<Loss> {
        let begun = clock::now();
        self.tell_traffic(begun);
        self.compat.look(begun, &mut self.hooks);
        let until = match self.read_ring() {
            // Everything sent before was read.
            None => {
                let before = BootTime(begun.0.saturating_sub(HOLD_BACK));
                let mut told = Vec::new();
                self.network.look(before, &mut told);
                told.into_iter().for_each(|event| self.order.push(event));
                begun
            }
            // Records are left, as young as the last one read, or a program's run younger.
            Some(last) => begun.min(last),
        };
        self.order.release(BootTime(until.0.saturating_sub(HOLD_BACK)), out);
        let skipped = self.skipped.look(&self.ebpf, begun);
        self.losses(skipped)
    }

    /// As [`Self::drain`], with nothing held back: for the end.
    pub fn flush(&mut self, out: &mut Vec<Event>) -> Vec<Loss> {
        let begun = clock::now().after(Duration::from_nanos(HOLD_BACK));
        // What the kernel holds now, and no more: it may write faster than this reads.
        while self.read_ring().is_some_and(|last| last <= begun) {}
        let mut told = Vec::new();
        self.network.finish(clock::now(), &mut told);
        told.into_iter().for_each(|event| self.order.push(event));
        self.order.release(clock::now().after(Duration::from_nanos(1)), out);
        let skipped = self.skipped.look_now(&self.ebpf, begun);
        self.losses(skipped)
    }

    /// Nothing that happened before this time is still to come ([`lanner_core::event::Batch::now`]).
    pub fn watermark(&self) -> BootTime {
        self.order.until()
    }

    /// Waits until the ring fills up, at most for `timeout`: the kernel wakes the reader only when it must. Millisecond
    /// resolution.
    pub fn wait(&self, timeout: Duration) -> io::Result<()> {
        self.ring.wait(timeout)
    }

    /// Reads the ring into the queue. The time of the last record, when some had to be left.
    fn read_ring(&mut self) -> Option<BootTime> {
        for _ in 0..RECORDS_PER_DRAIN {
            let (network, mut events) = (&mut self.network, std::mem::take(&mut self.fresh));
            let decoded = self.ring.next(|record| family::read(record, network, &mut events));
            for mut event in events.drain(..).filter(|event| !is_told(&self.told, event)) {
                if let Payload::Exec(exec) = &mut event.payload {
                    self.variables.retain(&mut exec.image.env);
                }
                self.compat.see(&event, &mut self.ebpf, &mut self.hooks);
                self.order.push(event);
            }
            self.fresh = events;
            if decoded?.is_none() {
                self.undecodable += 1;
            }
        }
        self.order.waiting().last().map(|e| e.header.time)
    }

    /// Has the kernel write how far connections have got, when it is time.
    fn tell_traffic(&mut self, now: BootTime) {
        if now.since(self.traffic_told) < self.traffic_every {
            return;
        }
        self.traffic_told = now;
        if let Err(reason) = iterate::elements(&mut self.ebpf, TRAFFIC, FLOWS) {
            self.refuse("iter/bpf_map_elem", &reason);
        }
    }

    /// A hook that was attached turned out not to work.
    fn refuse(&mut self, name: &str, reason: &str) {
        for hook in self.hooks.iter_mut().filter(|h| h.name == name) {
            hook.state = HookState::Refused(reason.to_owned());
        }
    }

    fn losses(&mut self, skipped: u64) -> Vec<Loss> {
        let mut losses = self.ring.losses();
        if skipped > 0 {
            losses.push(Loss { cause: LossCause::Skipped, count: skipped });
        }
        if self.undecodable > 0 {
            losses.push(Loss { cause: LossCause::Undecodable, count: std::mem::take(&mut self.undecodable) });
        }
        losses
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn is_told(told: &HashSet<ProcessKey>, event: &Event) -> bool {
    matches!(&event.payload, Payload::Fork(fork) if told.contains(&fork.child))
}

fn degraded(name: &str, reason: &str, without: &str) -> Hook {
    Hook {
        name: name.to_owned(),
        layer: HookLayer::Base,
        state: HookState::Refused(reason.to_owned()),
        without: without.to_owned(),
    }
}

/// A collector in a pid namespace of its own sees less of what already runs.
fn proc_hook() -> Option<Hook> {
    match Proc::open() {
        Ok(proc) if proc.shows_machine() => None,
        Ok(_) => Some(degraded(
            "/proc",
            "the collector runs in a pid namespace inside the machine",
            "processes outside this pid namespace that ran before the sensor did",
        )),
        Err(reason) => Some(degraded("/proc", &reason, "arguments of processes that ran before the sensor did")),
    }
}

/// The last two fields of `lanner_collector_abi::Config`: this process, as its own pid namespace numbers it. Zeros, which
/// nobody is, where /proc does not tell.
fn own_pid() -> u64 {
    let namespace = fs::metadata("/proc/self/ns/pid").ok().and_then(|ns| u32::try_from(ns.ino()).ok());
    let Some(namespace) = namespace else { return 0 };
    let [pid, namespace] = [std::process::id(), namespace].map(u32::to_ne_bytes);
    let mut both = [0; 8];
    both[..4].copy_from_slice(&pid);
    both[4..].copy_from_slice(&namespace);
    u64::from_ne_bytes(both)
}

fn watched(names: &[String]) -> Vec<Watched> {
    let fits = |name: &&String| !name.is_empty() && name.len() < size_of::<Watched>();
    let fixed = |name: &String| {
        let mut bytes: Watched = [0; 32];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes
    };
    names.iter().filter(fits).take(WATCHED_MAX).map(fixed).collect()
}

fn length(name: &Watched) -> usize {
    name.iter().position(|b| *b == 0).unwrap_or(name.len())
}

fn fill_watched(ebpf: &mut Ebpf, names: &[Watched]) -> Result<(), String> {
    let map = ebpf.map_mut("WATCHED").ok_or("the object has no map WATCHED")?;
    let mut map: BpfHashMap<&mut MapData, Watched, u8> = map.try_into().map_err(|e| with_causes(&e))?;
    names.iter().try_for_each(|name| map.insert(name, 1, 0).map_err(|e| with_causes(&e)))
}

fn fill_environment(ebpf: &mut Ebpf, beginnings: &HashSet<Variable>) -> Result<(), String> {
    let map = ebpf.map_mut("ENVIRONMENT").ok_or("the object has no map ENVIRONMENT")?;
    let mut map: BpfHashMap<&mut MapData, Variable, u8> = map.try_into().map_err(|e| with_causes(&e))?;
    beginnings.iter().try_for_each(|word| map.insert(word, 1, 0).map_err(|e| with_causes(&e)))
}

/// An error with its causes, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words.replace('\n', " ")
}
