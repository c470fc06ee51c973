//! The README's picture.

use std::time::{Duration, Instant};

use super::session::{PATIENCE, Start};

/// With `LANNER_WRITE_DOCS` set, the picture is taken anew.
#[test]
fn the_readme_shows_the_real_screen() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, block) = readme.split_once("```text\n").expect("the README shows a screen");
    let (shown, after) = block.split_once("\n```").expect("the screen has an end");
    let mut session = Start::replay().session();
    session.wait_for("ENDED");
    let lines = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
    let writes = std::env::var_os("LANNER_WRITE_DOCS").is_some();
    // A frame comes in parts; to be written it must be whole, and to be compared it becomes so.
    let deadline = Instant::now() + if writes { Duration::from_secs(2) } else { PATIENCE };
    while writes || lines(&session.text()) != lines(shown) {
        if !session.take_next(deadline.saturating_duration_since(Instant::now())) {
            break;
        }
    }
    let screen = lines(&session.text());
    session.press(b"q");
    assert!(session.end().success());
    if writes {
        std::fs::write(path, format!("{before}```text\n{}\n```{after}", screen.join("\n"))).unwrap();
        return;
    }
    assert_eq!(screen, lines(shown), "the README's picture is another one: LANNER_WRITE_DOCS=1 takes it anew");
}
