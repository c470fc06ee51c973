//! Ways to hide from a sensor, each performed for real, and what must be seen all the same.
//!
//! A trick is one file in `tricks`: it performs itself, in a process of its own (this program, run as `perform NAME`), and
//! says what must be among the events of that process and all of its descendants. Where a layer of hooks cannot see it,
//! the trick says why, and that it is *not* seen there is tested too. docs/evasions.md is the table of all of them, held
//! against the code (`LANNER_WRITE_DOCS=1` writes it anew).
#![allow(unsafe_code, clippy::print_stderr)]

mod elf;
mod scene;
mod stage;
mod sys;
mod table;
mod trick;
mod tricks;

use std::ffi::OsStr;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use trick::Trick;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    if words.next().as_deref() == Some(OsStr::new("perform")) {
        return perform(words.next());
    }
    let mut trials: Vec<Trial> = tricks::ALL.iter().map(|trick| Trial::test(trick.name, || verify(trick))).collect();
    trials.push(Trial::test("the_table_is_what_the_tricks_say", || table::check().map_err(Failed::from)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn perform(name: Option<std::ffi::OsString>) -> ExitCode {
    let trick = tricks::ALL.iter().find(|t| name.as_deref() == Some(OsStr::new(t.name)));
    match trick.map(|trick| (trick.perform)()) {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            eprintln!("it did not work: {error}");
            ExitCode::FAILURE
        }
        None => {
            eprintln!("there is no such trick");
            ExitCode::FAILURE
        }
    }
}

fn verify(trick: &Trick) -> Result<(), Failed> {
    if let Some(why) = (trick.cannot)() {
        lanner_tests::not_here(format!("{}: {why}", trick.name));
        return Ok(());
    }
    let Some(stage) = stage::stage() else { return Ok(()) };
    let scene = stage::watch(stage, trick)?;
    let seen = (trick.seen)(&scene);
    match (trick.verdict(scene.full_layer, &scene.attached), seen) {
        (None, seen) => seen.map_err(|missing| Failed::from(format!("not seen: {missing}\n{scene}"))),
        (Some(_), Err(_)) => Ok(()),
        (Some(why), Ok(())) => Err(format!("it is seen, though the table says that it is not: {why}").into()),
    }
}
