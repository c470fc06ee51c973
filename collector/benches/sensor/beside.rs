//! What runs beside a work: `lannerd`, as it is shipped, and a client that follows all it tells.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lanner_proto::client::Client;

/// A collector at work, and who listens to it.
pub(crate) struct Beside {
    collector: Child,
    client: JoinHandle<()>,
    counts: Arc<Counts>,
    spent_before: Duration,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct Counts {
    events: AtomicU64,
    lost: AtomicU64,
}

/// What came of it.
pub(crate) struct Told {
    /// Events that reached the client.
    pub(crate) events: u64,
    /// What was lost on the way, whatever the cause.
    pub(crate) lost: u64,
    /// The collector's processor time meanwhile.
    pub(crate) spent: Duration,
}

impl Beside {
    /// Starts both, and waits until the client has been told what lives.
    pub(crate) fn start() -> io::Result<Beside> {
        let folder = tempfile::tempdir()?;
        let address = format!("unix://{}", folder.path().join("l.sock").display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_lannerd"));
        command.args(["--listen", &address]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut collector = command.spawn()?;
        let mut ready = String::new();
        if let Some(stderr) = collector.stderr.take() {
            BufReader::new(stderr).read_line(&mut ready)?;
        }
        if !ready.starts_with("lannerd: ready: ") {
            collector.wait()?;
            return Err(io::Error::other(ready));
        }
        let (counts, (begun, begins)) = (Arc::new(Counts::default()), std::sync::mpsc::channel());
        let counted = Arc::clone(&counts);
        let client = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok((_, mut client)) = Client::connect(&address).await else { return };
                while let Ok(Some(batch)) = client.next().await {
                    if batch.snapshot {
                        let _ = begun.send(());
                        continue;
                    }
                    counted.events.fetch_add(batch.events.len() as u64, Ordering::Relaxed);
                    let lost = batch.losses.iter().map(|loss| loss.count).sum();
                    counted.lost.fetch_add(lost, Ordering::Relaxed);
                }
            });
        });
        begins.recv().map_err(|_| io::Error::other("the client is told nothing"))?;
        let spent_before = spent(collector.id())?;
        Ok(Beside { collector, client, counts, spent_before, _folder: folder })
    }

    /// Ends both; what the kernel still holds is told before.
    pub(crate) fn end(mut self) -> io::Result<Told> {
        let spent = spent(self.collector.id())?.saturating_sub(self.spent_before);
        let ended = Command::new("kill").arg(self.collector.id().to_string()).status()?;
        if !ended.success() {
            return Err(io::Error::other("the collector has ended by itself"));
        }
        self.collector.wait()?;
        let _ = self.client.join();
        let told = |of: &AtomicU64| of.load(Ordering::Relaxed);
        Ok(Told { events: told(&self.counts.events), lost: told(&self.counts.lost), spent })
    }
}

/// The processor time of a process's threads so far.
fn spent(pid: u32) -> io::Result<Duration> {
    let mut all = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0);
        all += Duration::from_nanos(nanoseconds);
    }
    Ok(all)
}
