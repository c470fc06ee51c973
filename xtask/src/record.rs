//! `cargo xtask record SCENARIO`: performs a scenario, records it with `lanner record`, and makes of that the recording
//! that is built into the program.
//!
//! The recording holds what happened on the scenario's node and nothing of the machine round it. Its quiet gaps between
//! stages are stretched to the story's true length; its header says which, and by how much.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use clap::Args;
use lanner_core::event::BootTime;
use lanner_recording::{Header, Options, Reader, Stretch, Stretcher, Writer};

/// The most that a built-in recording may weigh.
const MAX_BYTES: u64 = 300_000;

#[derive(Args)]
pub(crate) struct Record {
    /// A folder of demo-scenarios/
    scenario: String,
    /// The program that records, instead of a release built for it
    #[arg(long, value_name = "FILE")]
    lanner: Option<PathBuf>,
    /// Options for its run.sh, after --
    #[arg(last = true)]
    run: Vec<String>,
}

pub(crate) fn run(record: &Record) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let folder = root.join("demo-scenarios").join(&record.scenario);
    ensure!(folder.join("run.sh").exists(), "{} has no run.sh", folder.display());
    let lanner = match &record.lanner {
        Some(program) => program.canonicalize().with_context(|| format!("there is no {}", program.display()))?,
        None => build(&root)?,
    };
    let work = root.join("target/record");
    fs::create_dir_all(&work)?;
    let (raw, marks) = (work.join("raw.lanner"), work.join("marks"));
    perform(&lanner, &folder, &work, &record.run)?;
    let gaps = gaps(&folder, &marks)?;
    let out = folder.join("recording.lanner");
    compact(&raw, &out, gaps, &note(&record.scenario, &marks)?)?;
    let bytes = fs::metadata(&out)?.len();
    ensure!(bytes <= MAX_BYTES, "{} is {bytes} bytes, and a built-in recording may be {MAX_BYTES}", out.display());
    writeln!(io::stderr(), "{}: {bytes} bytes", out.display())?;
    Ok(())
}

fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new("cargo").args(["build", "--release", "-p", "lanner"]).current_dir(root).status()?;
    ensure!(status.success(), "lanner does not build");
    Ok(root.join("target/release/lanner"))
}

/// Runs the scenario; when its node is ready, and before anything happens there, the recorder is attached.
fn perform(lanner: &Path, folder: &Path, work: &Path, options: &[String]) -> anyhow::Result<()> {
    let [lanner, work_shown] = [lanner, work].map(|p| p.display().to_string());
    for old in ["raw.lanner", "log", "pid"] {
        let _ = fs::remove_file(work.join(old));
    }
    let attach = format!(
        r#"cd {work_shown}
           ns=$(readlink "/proc/$(cat "$NODE/init.pid")/ns/pid" | tr -dc 0-9)
           {lanner} record -o raw.lanner --node-name node1 --filter "lanner.pidns intersects ($ns)" 2>log </dev/null &
           echo $! >pid
           for _ in $(seq 300); do grep -q '^lanner: recording' log && exit 0; sleep 0.1; done
           cat log >&2; exit 1"#
    );
    // From the root control groups, lest those that this shell happens to be in stand in the recording.
    let from_the_root = r#"for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do
        echo $$ >"$procs"; done 2>/dev/null; exec "$0" "$@""#;
    // Environments are recorded too: nothing of this machine's, nor of what cargo adds to it, belongs there.
    let kept = ["PATH", "NODE", "CACHE"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    let status = Command::new("sh")
        .env_clear()
        .envs(kept)
        .args(["-c", from_the_root])
        .arg(folder.join("run.sh"))
        .arg("--marks")
        .arg(work.join("marks"))
        .args(["--on-ready", &attach])
        .args(options)
        .status()
        .context("run.sh does not start")?;
    let pid = fs::read_to_string(work.join("pid")).unwrap_or_default();
    let ended = Command::new("sh")
        .args([
            "-c",
            r#"kill -INT "$0"; for _ in $(seq 300); do kill -0 "$0" 2>/dev/null || exit 0; sleep 0.1; done; exit 1"#,
        ])
        .arg(pid.trim())
        .status()?;
    io::stderr().write_all(&fs::read(work.join("log")).unwrap_or_default())?;
    ensure!(status.success(), "run.sh failed");
    ensure!(ended.success(), "the recorder does not end");
    Ok(())
}

/// The gaps to stretch, from the scenario's `gaps` file (lines `STAGE SECONDS`: how long after the stage before it began
/// in the true story) and the marks of this run (`STAGE BOOTTIME_NS`).
fn gaps(folder: &Path, marks: &Path) -> anyhow::Result<Vec<Stretch>> {
    let pairs = |path: PathBuf| -> anyhow::Result<Vec<(String, u64)>> {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let pair = |line: &str| {
            let (stage, number) = line.split_once(' ')?;
            Some((stage.to_owned(), number.trim().parse().ok()?))
        };
        Ok(text.lines().filter_map(pair).collect())
    };
    let marks = pairs(marks.to_path_buf())?;
    let mut gaps = Vec::new();
    for (stage, seconds) in pairs(folder.join("gaps"))? {
        let Some(i) = marks.iter().position(|(name, _)| *name == stage) else { bail!("the run has no mark {stage}") };
        let Some(before) = i.checked_sub(1).map(|i| marks[i].1) else {
            bail!("{stage} is the first mark: nothing is before it")
        };
        let (begins, wanted) = (marks[i].1, Duration::from_secs(seconds));
        let was = Duration::from_nanos(begins.saturating_sub(before));
        if let Some(by) = wanted.checked_sub(was) {
            // A moment before the stage begins: all of the quiet is before it.
            gaps.push(Stretch { at: BootTime(begins.saturating_sub(1)), by });
        }
    }
    Ok(gaps)
}

fn note(scenario: &str, marks: &Path) -> anyhow::Result<String> {
    let runtime = fs::read_to_string(marks)?
        .lines()
        .find_map(|line| line.strip_prefix("# second container: ").map(str::to_owned))
        .unwrap_or_else(|| "unknown".to_owned());
    Ok(format!(
        "The scenario {scenario}, performed on a disposable Kubernetes node; its containers were started by: {runtime}. \
         Only what happened on that node is kept. Quiet gaps between stages are stretched, as the header lists; every \
         event is as it happened."
    ))
}

fn compact(raw: &Path, out: &Path, gaps: Vec<Stretch>, note: &str) -> anyhow::Result<()> {
    let mut reader = Reader::new(BufReader::new(File::open(raw)?))?;
    let mut header: Header = reader.header().clone();
    note.clone_into(&mut header.note);
    // The release without the vendor's own suffix says all that matters.
    if let Some(end) = header.node.kernel.find('-') {
        header.node.kernel.truncate(end);
    }
    let stretcher = Stretcher::new(gaps);
    header.stretched = stretcher.gaps().to_vec();
    // Beside it first: what stands there is only replaced by what is sound.
    let new = out.with_extension("lanner.new");
    let mut writer = Writer::new(File::create(&new)?, &header, Options::COMPACT)?;
    for batch in reader.by_ref() {
        writer.write(&stretcher.batch(batch))?;
    }
    if let Some(problem) = reader.report().problem {
        bail!("{}: {problem}", raw.display());
    }
    writer.finish()?;
    Ok(fs::rename(new, out)?)
}
