//! How much of each attack its incident holds: `cargo xtask bench attribution`; with a part of a name, what is wrong there.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::expect_used, dead_code)]

#[path = "../../tests/attribution/mod.rs"]
mod attribution;

fn main() {
    let asked = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let scores = attribution::all();
    println!("{}", attribution::table::of(&scores));
    for (name, score) in scores.iter().filter(|(name, _)| asked.as_ref().is_some_and(|asked| name.contains(asked))) {
        println!("{name}: {}", score.title);
        score.wrong.iter().for_each(|line| println!("  {line}"));
    }
}
