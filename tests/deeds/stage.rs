//! One sensor and one set of rules for all deeds.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lanner_collector::containers::Names;
use lanner_collector::sensor::{Sensor, SensorConfig, now};
use lanner_core::detect::rules::RuleSet;
use lanner_core::engine::Engine;
use lanner_core::event::{BootTime, ContainerId, Event, LossCause, Payload, ProcessKey, Text};
use tempfile::TempDir;

use crate::deed::{Deed, Done, Within};
use crate::place::{self, Container};

/// Longer than any deed takes, even on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whose the rules of `rules.yaml` are.
pub(crate) const OURS: &str = "our";

/// So much of an event is shown when a test fails.
const SHOWN: usize = 300;

pub(crate) struct Stage {
    state: Mutex<State>,
    plain: Container,
    privileged: Container,
    /// Whether the Falco project's rules are there, too.
    with_falco: bool,
    /// Where the privileged container's runtime has its specification.
    _bundle: TempDir,
}

/// The sensor, and all that it saw.
struct State {
    sensor: Sensor,
    names: Names,
    /// Ours, and maybe the Falco project's.
    engines: Vec<Engine>,
    seen: Vec<Event>,
    raised: Vec<(ProcessKey, Arc<str>)>,
    number: u64,
}

/// What those who did a deed did, and the signals that it raised.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    cast: Vec<ProcessKey>,
    events: Vec<Event>,
    raised: Vec<Arc<str>>,
}

static STAGE: OnceLock<Result<Stage, String>> = OnceLock::new();

/// `None`, and a word why, where it cannot run.
pub(crate) fn stage() -> Option<&'static Stage> {
    match STAGE.get_or_init(|| Stage::new().map_err(|error| error.to_string())) {
        Ok(stage) => Some(stage),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

/// Takes away what the stage made.
pub(crate) fn clear() {
    if let Some(Ok(stage)) = STAGE.get() {
        stage.plain.remove();
        stage.privileged.remove();
    }
}

impl Stage {
    fn new() -> io::Result<Stage> {
        let mut rules = vec![vec![("rules.yaml".to_owned(), include_str!("rules.yaml").to_owned())]];
        let paths = std::env::var_os("LANNER_FALCO_RULES");
        if let Some(paths) = &paths {
            let read = |path: PathBuf| Ok((path.display().to_string(), fs::read_to_string(path)?));
            rules.push(std::env::split_paths(paths).map(read).collect::<io::Result<_>>()?);
        }
        let with_falco = paths.is_some();
        let engine = |files: Vec<(String, String)>| {
            let set = RuleSet::load(&files);
            let wrong: Vec<String> = set.errors.iter().map(|error| error.render()).collect();
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            for rule in &set.unsupported {
                eprintln!("not supported: {}: {}", rule.rule, rule.reason);
            }
            Engine::new(set, Vec::new())
        };
        let engines = rules.into_iter().map(engine).collect();
        let object = std::env::var_os("LANNER_EBPF_OBJECT").map(Into::into);
        let mut sensor = Sensor::load(&SensorConfig { object, ..SensorConfig::default() }).map_err(io::Error::other)?;
        let already = sensor.backfill();
        let mut state =
            State { sensor, names: Names::start()?, engines, seen: Vec::new(), raised: Vec::new(), number: 0 };
        state.take(already, BootTime::default());
        let bundle = tempfile::tempdir()?;
        let stage = Stage {
            state: Mutex::new(state),
            plain: Container::new(1)?,
            privileged: Container::new(2)?,
            with_falco,
            _bundle: bundle,
        };
        stage.make_privileged()?;
        Ok(stage)
    }

    /// A runtime is seen starting a container, with a specification that says that it is privileged.
    fn make_privileged(&self) -> io::Result<()> {
        let bundle = self._bundle.path();
        let specification = r#"{"annotations": {"io.container.manager": "libpod",
            "io.podman.annotations.privileged": "TRUE", "io.kubernetes.container.name": "mighty"}}"#;
        fs::write(bundle.join("config.json"), specification)?;
        let id = self.privileged.id.as_str();
        let arguments = ["runc", "create", "--bundle", bundle.to_str().unwrap_or_default(), id];
        place::run(bundle, "runc", &arguments)?;
        // Its first program.
        self.spawn(Within::Privileged, &["nothing"])?.wait()?;
        let id = ContainerId(Text::from(id));
        let begun = Instant::now();
        loop {
            let mut state = self.state();
            state.drain();
            let info = state.engines[0].graph().container_info(&id);
            if info.is_some_and(|info| info.privileged == Some(true)) {
                return Ok(());
            }
            assert!(begun.elapsed() < PATIENCE, "nobody told of the privileged container: {info:?}");
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Another deed's failure is no reason to fail here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spawn(&self, within: Within, arguments: &[&str]) -> io::Result<std::process::Child> {
        let mut command = Command::new(std::env::current_exe()?);
        let group = match within {
            Within::Host => "",
            Within::Container => self.plain.folder(),
            Within::Privileged => self.privileged.folder(),
        };
        command.args(["enter", group]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()
    }

    /// Does a deed, and waits until all who took part in it have ended.
    pub(crate) fn watch(&self, deed: &Deed, done: Done) -> Result<Seen, String> {
        let within = if done == Done::It { deed.within } else { deed.nearly_within };
        let since = now();
        let child = self.spawn(within, &["perform", deed.name, done.word()]).map_err(|e| e.to_string())?;
        let pid = child.id();
        let output = child.wait_with_output().map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(format!("{}: {}: {}", done.word(), output.status, String::from_utf8_lossy(&output.stderr)));
        }
        let begun = Instant::now();
        loop {
            let seen = self.state().of(pid, since);
            if seen.is_over() {
                return Ok(seen);
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("not all of its processes are seen to end:\n{seen}"));
            }
        }
    }

    /// The rules that are about a deed, and whether each raised a signal.
    pub(crate) fn asked<'d>(&self, deed: &'d Deed, seen: &Seen) -> Vec<(&'static str, &'d str, bool)> {
        let raised = |rule: &str| seen.raised.iter().any(|raised| **raised == *rule);
        let falco = self.with_falco.then(|| ("Falco's", deed.falco, raised(deed.falco)));
        std::iter::once((OURS, deed.name, raised(deed.name))).chain(falco).collect()
    }
}

impl State {
    fn drain(&mut self) {
        let _ = self.sensor.wait(Duration::from_millis(4));
        let mut events = Vec::new();
        let losses = self.sensor.drain(&mut events);
        // What the kernel skips, anybody on the machine can bring about.
        assert!(losses.iter().all(|loss| loss.cause == LossCause::Skipped), "nothing else is lost: {losses:?}");
        let until = BootTime(self.sensor.watermark().0.saturating_sub(1));
        self.take(events, until);
    }

    fn take(&mut self, mut events: Vec<Event>, until: BootTime) {
        self.names.look(&mut events, until);
        for event in &mut events {
            self.number += 1;
            event.header.seq = self.number;
            for engine in &mut self.engines {
                let signals = engine.apply(event).signals;
                self.raised.extend(signals.into_iter().map(|signal| (signal.process, signal.rule)));
            }
        }
        self.seen.append(&mut events);
    }

    /// What a child that was made after `since` and its descendants did: numbers of processes are used again.
    fn of(&mut self, pid: u32, since: BootTime) -> Seen {
        self.drain();
        let (mut seen, mut known) = (Seen::default(), HashSet::new());
        for event in &self.seen {
            let by = event.header.process;
            let is_it = |child: ProcessKey| child.pid == pid && child.start >= since && by.pid == std::process::id();
            if let Payload::Fork(fork) = &event.payload
                && (known.contains(&by) || is_it(fork.child))
                && known.insert(fork.child)
            {
                seen.cast.push(fork.child);
            }
            if known.contains(&by) {
                seen.events.push(event.clone());
            }
        }
        let own = self.raised.iter().filter(|(by, _)| known.contains(by));
        seen.raised = own.map(|(_, rule)| Arc::clone(rule)).collect();
        seen
    }
}

impl Seen {
    fn is_over(&self) -> bool {
        let ended = |key: &ProcessKey| {
            self.events.iter().any(|e| e.header.process == *key && matches!(e.payload, Payload::Exit(_)))
        };
        !self.cast.is_empty() && self.cast.iter().all(ended)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} processes, raised: {:?}", self.cast.len(), self.raised)?;
        self.events.iter().try_for_each(|e| {
            let told = format!("{:?}", e.payload);
            let shown = told.char_indices().nth(SHOWN).map_or(told.as_str(), |(end, _)| &told[..end]);
            writeln!(f, "{} {shown}", e.header.process.pid)
        })
    }
}
