//! What it costs to be watched: the same work with `lannerd` and a client beside it and without, in turns. Figures are
//! printed, not judged: `cargo xtask bench sensor`, or with works by name, `cargo xtask bench sensor open tcp`.
//!
//! The machine has other things to do too, so ratios within a pair count, and of those the median: of the time that passed,
//! and of the processor's time, which others disturb less. `none` is a work with nothing beside it either time: as far as it
//! is from 1, so far may the others be.
#![allow(unsafe_code, clippy::print_stdout)]

mod beside;
mod work;

use std::io;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use beside::Beside;
use work::{WORKS, Work};

/// Odd, for the median.
const PAIRS: usize = 7;

/// What a work took.
struct Cost {
    /// From its beginning to its end.
    passed: Duration,
    /// User and system time of it and its children.
    spent: Duration,
}

/// One pair: with the collector, by without.
struct Pair {
    passed: f64,
    spent: f64,
    /// With what the collector spent itself.
    spent_by_all: f64,
}

fn main() -> ExitCode {
    // What cargo passes to every bench is no work.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["perform", name] => work::named(name).and_then(|work| (work.perform)()),
        _ => compare(&words),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(names: &[&str]) -> io::Result<()> {
    let wanted: Vec<&Work> = match names {
        [] => WORKS.iter().collect(),
        names => names.iter().map(|name| work::named(name)).collect::<io::Result<_>>()?,
    };
    println!("| work | alone | time | processor | all processors' time, the collector's too | events | lost |");
    println!("|---|---|---|---|---|---|---|");
    for (n, work) in wanted.into_iter().enumerate() {
        if n == 0 {
            row(&Work { name: "none", ..*work }, work, false)?;
        }
        row(work, work, true)?;
    }
    Ok(())
}

/// Measures, and prints a row.
fn row(shown: &Work, work: &Work, watched: bool) -> io::Result<()> {
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    let (mut events, mut lost) = (0, 0);
    // The first one finds the caches cold.
    cost(work)?;
    for n in 0..PAIRS {
        let mut without = || {
            let without = cost(work)?;
            alone.push(without.spent.as_secs_f64());
            Ok::<_, io::Error>(without)
        };
        let before = if n % 2 == 0 { Some(without()?) } else { None };
        let beside = if watched { Some(Beside::start()?) } else { None };
        let with = cost(work)?;
        let mut own = Duration::ZERO;
        if let Some(beside) = beside {
            let told = beside.end()?;
            own = told.spent;
            events = told.events;
            lost += told.lost;
        }
        let without = before.map_or_else(&mut without, Ok)?;
        let by = |with: Duration, without: Duration| with.as_secs_f64() / without.as_secs_f64();
        pairs.push(Pair {
            passed: by(with.passed, without.passed),
            spent: by(with.spent, without.spent),
            spent_by_all: by(with.spent + own, without.spent),
        });
    }
    let of = |figure: fn(&Pair) -> f64| {
        let mut all: Vec<f64> = pairs.iter().map(figure).collect();
        let middle = median(&mut all);
        format!("{middle:.2} ({:.2} to {:.2})", all[0], all[all.len() - 1])
    };
    println!(
        "| {}: {} | {:.2} s | {} | {} | {} | {events} | {lost} |",
        shown.name,
        work.what,
        median(&mut alone),
        of(|p| p.passed),
        of(|p| p.spent),
        of(|p| p.spent_by_all),
    );
    Ok(())
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Performs a work in a process of its own.
fn cost(work: &Work) -> io::Result<Cost> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["perform", work.name]).stdin(Stdio::null());
    let begun = Instant::now();
    let child = command.spawn()?;
    let (mut status, pid) = (0, i32::try_from(child.id()).map_err(io::Error::other)?);
    // SAFETY: all zeros are a valid value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live locals. Nobody else waits for this child.
    if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } != pid {
        return Err(io::Error::last_os_error());
    }
    let passed = begun.elapsed();
    if status != 0 {
        return Err(io::Error::other(format!("{} ended with {status:#x}", work.name)));
    }
    Ok(Cost { passed, spent: time(usage.ru_utime) + time(usage.ru_stime) })
}

fn time(of: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(of.tv_sec.unsigned_abs());
    seconds + Duration::from_micros(of.tv_usec.unsigned_abs())
}
