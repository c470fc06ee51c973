//! A whole investigation of the reference attack, key by key.

use std::path::Path;
use std::time::Duration;

use tempfile::tempdir;

use super::session::{Session, Start};

/// From the first screen to the last key: `press` types.
fn investigate(session: &mut Session, folder: &Path, press: &dyn Fn(&mut Session, &[u8])) {
    // The incident, and how far it is known.
    session.wait_for("Container escape to hidden static pod");
    session.wait_for("ENDED");
    session.wait_for("exfiltration");
    // Its story.
    press(session, b"\r");
    session.wait_for("› stage 1");
    press(session, b"\x1b[Bjj");
    session.wait_for("linked to 2: ps");
    press(session, b"\r");
    session.wait_for("Why it belongs to this incident");
    press(session, b"\x1b");
    session.wait_for("↓");
    // Its picture, which begins where the story was left, and along its edges to the server that gives the orders.
    press(session, b"3");
    session.wait_for("process ps  stage 4");
    press(session, b"g");
    session.wait_for("→ entered by sh");
    press(session, b"l");
    session.wait_for("ran nsenter");
    for seen in
        ["process nsenter", "process dash", "file hack.yaml", "process kubelet", "container invisible/hack-node1/hack"]
    {
        press(session, b"\x1b[C");
        session.wait_for(seen);
    }
    for seen in ["process dash  stages 7", "process curl", "process python3.11"] {
        press(session, b"l");
        session.wait_for(seen);
    }
    press(session, b"oo");
    session.wait_for("called 203.0.113.66:8080, 11 times");
    press(session, b"l");
    session.wait_for("peer 203.0.113.66:8080  stage 10");
    // Its connections, now and before the last signal.
    press(session, b"4");
    session.wait_for("13 flows");
    press(session, b"[");
    session.wait_for("PAST");
    session.wait_for("12 flows");
    press(session, b"f");
    session.wait_for("ENDED");
    session.wait_for("13 flows");
    // Less of it.
    press(session, b"/fd.rip=203.0.113.66");
    session.wait_for("12 flows");
    press(session, b"\r");
    session.wait_for("/ fd.rip=203.0.113.66");
    // Taken away.
    press(session, b"e");
    session.wait_for("html");
    press(session, b"h");
    session.wait_for("written to");
    press(session, b"y");
    session.wait_for("copied the");
    press(session, b"1");
    session.wait_for("critical");
    press(session, b"q");
    assert!(session.end().success());
    let exported: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    let [page] = &exported[..] else { panic!("{exported:?}") };
    assert_eq!(page.extension().unwrap(), "html");
    assert!(std::fs::read_to_string(page).unwrap().contains("Container escape to hidden static pod"));
    assert!(session.written.windows(7).any(|w| w == b"\x1b]52;c;"), "the terminal was given the copy");
}

#[test]
fn an_investigation_from_the_first_screen_to_the_last_key() {
    let folder = tempdir().unwrap();
    let mut session = Start { folder: Some(folder.path().into()), ..Start::replay() }.session();
    investigate(&mut session, folder.path(), &|session, keys| session.press(keys));
}

/// Where the rest of a key is waited for as long as a busy machine may take for it.
#[test]
fn the_same_where_each_byte_of_a_key_comes_by_itself() {
    let folder = tempdir().unwrap();
    let settings = tempdir().unwrap();
    std::fs::create_dir(settings.path().join("lanner")).unwrap();
    std::fs::write(settings.path().join("lanner/config.toml"), "escape_ms = 3000").unwrap();
    let start = Start { folder: Some(folder.path().into()), ..Start::replay() };
    let mut session = start.variable("XDG_CONFIG_HOME", settings.path().to_str().unwrap()).session();
    investigate(&mut session, folder.path(), &|session, keys| session.press_slowly(keys, Duration::from_millis(50)));
}

#[test]
fn the_same_on_a_line_that_carries_20_kb_a_second() {
    let folder = tempdir().unwrap();
    let start = Start { folder: Some(folder.path().into()), ..Start::replay() };
    let mut session = start.variable("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22").session();
    session.slow_down(20_000);
    investigate(&mut session, folder.path(), &|session, keys| session.press(keys));
}
