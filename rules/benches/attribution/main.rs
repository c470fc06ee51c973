//! How much of each attack its incident holds: `cargo xtask bench attribution`; with parts of names, what is wrong there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../../tests/attribution/mod.rs"]
mod attribution;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let scores = attribution::all();
    println!("{}", attribution::table::of(&scores));
    for (name, score) in scores.iter().filter(|(name, _)| asked.iter().any(|asked| name.contains(asked.as_str()))) {
        println!("{name}: {}", score.title);
        score.wrong.iter().for_each(|line| println!("  {line}"));
    }
}
