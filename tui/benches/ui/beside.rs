//! What is written for the same churn of processes, beside htop and btop; and how long what the kernel sees takes to the screen.
//! Both watch this machine, which takes root.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use crate::figures::{Spread, milliseconds};
use crate::session::Session;

/// Processes that come and go: so many live at a time, each for up to two seconds.
const CHURN: usize = 200;
/// All three are watched for so long.
const WATCHED: Duration = Duration::from_secs(20);
/// Silence between two frames of a program that does not mark them.
const SILENCE: Duration = Duration::from_millis(40);

/// Processes that come and go until this is dropped.
struct Churn {
    over: Arc<AtomicBool>,
    work: Option<JoinHandle<()>>,
}

impl Churn {
    fn start() -> Churn {
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let work = thread::spawn(move || {
            let mut living: VecDeque<Child> = VecDeque::new();
            // Bounded, should nobody end it.
            let until = Instant::now() + WATCHED * 3;
            for n in 0_u64.. {
                if ends.load(Ordering::Relaxed) || Instant::now() > until {
                    break;
                }
                let lasts = format!("{}.{}", n * 7 % 2, n * 13 % 10);
                living.extend(Command::new("sleep").arg(lasts).stdin(Stdio::null()).spawn());
                living.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
                if living.len() >= CHURN {
                    thread::sleep(Duration::from_millis(20));
                } else {
                    thread::sleep(Duration::from_millis(5));
                }
            }
            living.iter_mut().for_each(|child| drop(child.wait()));
        });
        Churn { over, work: Some(work) }
    }
}

impl Drop for Churn {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.work.take().map(JoinHandle::join);
    }
}

/// Bytes, beside those of others.
pub(crate) fn bytes() -> io::Result<()> {
    let mut watched: Vec<(String, Session)> = Vec::new();
    for far in [true, false] {
        let mut session = Session::lanner(&["live"], far)?;
        session.wait_for("LIVE")?;
        session.press(b"2")?;
        // Whatever else runs stands below other roots: all that comes and goes is to be seen.
        session.press(b"/sleep\r")?;
        session.wait_for("/ sleep")?;
        watched.push((format!("lanner, {} frames a second", if far { 10 } else { 30 }), session));
    }
    for (program, arguments, each) in [("htop", &["-d", "10"][..], "second"), ("btop", &["--utf-force"], "two seconds")]
    {
        if Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok() {
            let mut command = CommandBuilder::new(program);
            command.args(arguments);
            watched.push((format!("{program}, each {each}"), Session::start(command)?));
        } else {
            println!("{program} is not installed: the Debian package of that name has it\n");
        }
    }
    let churn = Churn::start();
    let counting = watched.into_iter().map(|(name, mut session)| {
        thread::spawn(move || {
            session.count(Duration::from_secs(5), SILENCE);
            let written = session.count(WATCHED, SILENCE);
            (name, written, session)
        })
    });
    let counted: Vec<_> = counting.collect::<Vec<_>>().into_iter().map(JoinHandle::join).collect();
    drop(churn);
    println!("| some {CHURN} processes come and go, for {} s | frames | bytes a frame | bytes/s |", WATCHED.as_secs());
    println!("|---|---|---|---|");
    for (name, written, session) in counted.into_iter().flatten() {
        let frames = if written.frames > 0 { written.frames } else { written.bursts };
        let second = written.bytes / WATCHED.as_secs();
        println!("| {name} | {frames} | {} | {second} |", written.bytes / frames.max(1));
        drop(session);
    }
    Ok(())
}

/// From an exec to the name of what was executed, on the screen of `lanner live`.
pub(crate) fn delay() -> io::Result<()> {
    const TIMES: usize = 120;
    let folder = tempfile::tempdir()?;
    let mut session = Session::lanner(&["live"], false)?;
    session.wait_for("LIVE")?;
    session.press(b"6/seen-\r")?;
    session.wait_for("/ seen-")?;
    let mut took = Spread::new();
    for n in 0..TIMES {
        let name = format!("seen-{n:03}");
        let program = folder.path().join(&name);
        symlink("/bin/true", &program)?;
        // At any moment between two frames, and between two looks into the kernel's buffer.
        thread::sleep(Duration::from_millis(150 + (n as u64 * 17) % 50));
        session.catch_up();
        let begun = Instant::now();
        if !Command::new(&program).stdin(Stdio::null()).status()?.success() {
            return Err(io::Error::other(format!("{name} failed")));
        }
        let shown = session.wait_for(&name)?;
        took.add(shown.saturating_duration_since(begun));
    }
    println!("| from an exec to the screen, goal 150 ms | half within | 99 % | slowest of {} |", took.len());
    println!("|---|---|---|---|");
    println!(
        "| lanner live, timeline, filtered | {} | {} | {} |",
        milliseconds(took.within(50)),
        milliseconds(took.within(99)),
        milliseconds(took.within(100))
    );
    session.quit()
}
