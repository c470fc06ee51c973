//! The load as a recording, which the program plays as fast as it happened.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::time::Duration;

use lanner_core::event::Batch;
use lanner_recording::{Header, Options, Writer};
use tempfile::TempDir;

use crate::load::{BUSY, Load};
use crate::session::Session;

/// A batch is so long.
const STEP: Duration = Duration::from_millis(100);
const NAME: &str = "load.lanner";

/// A recording that is being written.
struct Written {
    folder: TempDir,
    writer: Writer<BufWriter<File>>,
}

impl Written {
    fn begin(load: &Load) -> io::Result<Written> {
        let folder = tempfile::tempdir()?;
        let file = BufWriter::new(File::create(folder.path().join(NAME))?);
        let writer = Writer::new(file, &Header::new(load.node().clone()), Options::LIVE).map_err(io::Error::other)?;
        Ok(Written { folder, writer })
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        self.writer.write(batch).map_err(io::Error::other)
    }

    fn finish(self) -> io::Result<TempDir> {
        self.writer.finish().map_err(io::Error::other)?;
        Ok(self.folder)
    }
}

/// A recording in a folder that goes with it.
pub(crate) struct Recording {
    folder: TempDir,
    /// So many seconds of it are past when it begins to be played.
    past: u64,
    /// What the clock shows then.
    clock: String,
}

impl Recording {
    /// The load: all that has been, and so much of what goes on.
    pub(crate) fn of_load(lasts: Duration) -> io::Result<Recording> {
        let (mut load, before) = Load::new(BUSY);
        let begins = before.iter().map(|batch| batch.now).find(|now| now.0 > 0).unwrap_or_default();
        let mut written = Written::begin(&load)?;
        before.iter().try_for_each(|batch| written.write(batch))?;
        // As long as who ended is shown.
        for _ in 0..250 {
            written.write(&load.next(STEP))?;
        }
        let past = load.now().since(begins).as_secs();
        let clock = clock(load.node().wall(begins.after(Duration::from_secs(past + 1))));
        for _ in 0..lasts.as_millis() / STEP.as_millis() {
            written.write(&load.next(STEP))?;
        }
        Ok(Recording { folder: written.finish()?, past, clock })
    }

    /// At least so many events.
    pub(crate) fn of_events(most: usize) -> io::Result<Recording> {
        let (mut load, before) = Load::new(BUSY);
        let mut written = Written::begin(&load)?;
        before.iter().try_for_each(|batch| written.write(batch))?;
        while written.writer.events() < most as u64 {
            written.write(&load.next(STEP))?;
        }
        Ok(Recording { folder: written.finish()?, past: 0, clock: String::new() })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }

    /// The program, when all that is past has been read and the rest is being played.
    pub(crate) fn play(&self, far: bool) -> io::Result<Session> {
        let path = self.path();
        let at = format!("{}s", self.past);
        let words = ["replay", path.to_str().unwrap_or_default(), "--speed", "1", "--at", &at];
        let mut session = Session::lanner(&words, far)?;
        session.wait_for(&self.clock)?;
        Ok(session)
    }
}

/// The time of day, as the header shows it.
fn clock(wall: i64) -> String {
    let second = wall.div_euclid(1_000_000_000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
