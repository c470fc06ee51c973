//! Rules on what they are about, for real. Each deed is done by a process of its own under the sensor and raises a signal;
//! what is nearly the same is done beside it, and raises none.
//!
//! `rules.yaml` has a rule for each deed, in the shapes that the Falco project's stable rules have. `LANNER_FALCO_RULES`
//! may name that project's own files, with colons between: then the same deeds are held against their rules, too.
#![allow(unsafe_code, clippy::print_stderr)]

mod deed;
mod deeds;
#[path = "../evasions/elf.rs"]
#[allow(dead_code)]
mod elf;
mod place;
mod stage;
#[path = "../evasions/sys.rs"]
#[allow(dead_code)]
mod sys;

use std::io;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use deed::{Deed, Done};
use stage::OURS;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["enter", group, ref rest @ ..] => place::enter(group, rest),
        ["nothing"] => Ok(()),
        ["perform", name, done] => perform(name, done),
        ["call", address] => deeds::network::call(address),
        _ => return test(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> ExitCode {
    let trials = deeds::ALL.iter().map(|deed| Trial::test(deed.name.replace(' ', "_"), || verify(deed))).collect();
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    stage::clear();
    conclusion.exit_code()
}

fn perform(name: &str, done: &str) -> io::Result<()> {
    let deed = deeds::ALL.iter().find(|deed| deed.name == name);
    let deed = deed.ok_or_else(|| io::Error::other("there is no such deed"))?;
    if done == Done::It.word() { (deed.it)() } else { (deed.nearly)() }
}

fn verify(deed: &'static Deed) -> Result<(), Failed> {
    if let Some(why) = (deed.cannot)() {
        lanner_tests::not_here(format!("{}: {why}", deed.name));
        return Ok(());
    }
    let Some(stage) = stage::stage() else { return Ok(()) };
    let mut wrong = String::new();
    for done in [Done::It, Done::Nearly] {
        let seen = stage.watch(deed, done)?;
        for (whose, rule, raised) in stage.asked(deed, &seen) {
            if whose != OURS {
                eprintln!("{rule}: {} {}", done.word(), if raised { "raises a signal" } else { "raises none" });
            }
            if raised != (done == Done::It) {
                let what = if raised { "raises a signal" } else { "raises no signal" };
                wrong += &format!("{}: {whose} rule `{rule}` {what}\n{seen}", done.word());
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}
