//! One sensor for all tricks.

use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lanner_collector::sensor::{CompatWatch, Sensor, SensorConfig, now};
use lanner_core::event::{BootTime, Event, LossCause};

use crate::scene::Scene;
use crate::trick::Trick;

/// Longer than any trick takes, even on a machine busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// The sensor, and all that it saw.
pub(crate) struct Stage {
    sensor: Sensor,
    seen: Vec<Event>,
}

/// `None`, and a word why, where it cannot run.
pub(crate) fn stage() -> Option<&'static Mutex<Stage>> {
    static STAGE: OnceLock<Result<Mutex<Stage>, String>> = OnceLock::new();
    let load = || {
        let object = std::env::var_os("LANNER_EBPF_OBJECT").map(Into::into);
        let sensor = Sensor::load(&SensorConfig { object, compat: CompatWatch::Always, ..SensorConfig::default() })?;
        Ok::<_, lanner_collector::sensor::SensorError>(Mutex::new(Stage { sensor, seen: Vec::new() }))
    };
    match STAGE.get_or_init(|| load().map_err(|error| error.to_string())) {
        Ok(stage) => Some(stage),
        Err(error) => {
            lanner_tests::not_run(error);
            None
        }
    }
}

/// Performs a trick and waits until all who took part in it have ended.
pub(crate) fn watch(stage: &Mutex<Stage>, trick: &Trick) -> Result<Scene, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["perform", trick.name]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let since = now();
    let child = command.spawn().map_err(|e| e.to_string())?;
    let pid = child.id();
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let begun = Instant::now();
    loop {
        let scene = stage.lock().unwrap_or_else(PoisonError::into_inner).scene(pid, since);
        if scene.is_over() {
            return Ok(scene);
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("not all of its processes are seen to end:\n{scene}"));
        }
    }
}

impl Stage {
    fn scene(&mut self, pid: u32, since: BootTime) -> Scene {
        let _ = self.sensor.wait(Duration::from_millis(4));
        let losses = self.sensor.drain(&mut self.seen);
        // What the kernel skips, anybody on the machine can bring about.
        assert!(losses.iter().all(|loss| loss.cause == LossCause::Skipped), "nothing else is lost: {losses:?}");
        Scene::of(pid, since, &self.seen, self.sensor.hooks())
    }
}
