//! In a shell: stopped and continued, with the terminal the shell's in between.

use super::session::{Session, Start};

/// A shell with jobs that says when it is ready.
fn shell() -> Session {
    let mut session = Start::program("/bin/bash", &["--norc", "--noprofile", "--noediting", "-i"])
        .variable("PS1", "ready> ")
        .session();
    session.wait_for("ready>");
    session
}

fn replay(session: &mut Session) {
    session.press(format!("{} replay container-escape --speed max\n", env!("CARGO_BIN_EXE_lanner")).as_bytes());
    session.wait_for("exfiltration");
}

/// The shell reads what is typed next: a prompt stands in the last line, behind those that were given before.
fn wait_for_the_shell(session: &mut Session) {
    let asks = |screen: &vt100::Screen| screen.contents().trim_end().lines().last() == Some("ready>");
    session.wait_until("the shell", |screen| !screen.alternate_screen() && asks(screen));
}

/// The shell has the terminal: as it was before, and typing works.
fn assert_in_the_shell(session: &mut Session) {
    session.wait_until("the shell", |screen| !screen.alternate_screen());
    session.press(b"echo the sum is $((20 + 22))\n");
    session.wait_for("the sum is 42");
    session.assert_screen_given_back();
}

#[test]
fn control_z_gives_the_terminal_to_the_shell_and_fg_draws_all_of_it_again() {
    let mut session = shell();
    replay(&mut session);
    session.press(b"\r");
    session.wait_for("› stage 1");
    for _ in 0..2 {
        session.press(b"\x1a");
        session.wait_for("Stopped");
        assert_in_the_shell(&mut session);
        session.press(b"clear; fg\n");
        session.wait_until("the program", vt100::Screen::alternate_screen);
        session.wait_for("› stage 1");
        session.wait_for("q quit");
    }
    session.press(b"q");
    wait_for_the_shell(&mut session);
    session.press(b"echo it ended with $?; exit\n");
    session.wait_for("it ended with 0");
    assert!(session.end().success());
}

/// As when another program, or the shell's `kill`, stops it.
#[test]
fn a_signal_that_stops_it_does_the_same() {
    for signal in ["TSTP", "STOP"] {
        let mut session = shell();
        replay(&mut session);
        let program = session.program();
        rustix::process::kill_process(
            program,
            if signal == "TSTP" { rustix::process::Signal::TSTP } else { rustix::process::Signal::STOP },
        )
        .unwrap();
        session.wait_for("Stopped");
        if signal == "TSTP" {
            assert_in_the_shell(&mut session);
        }
        session.press(b"clear; fg\n");
        session.wait_for("exfiltration");
        session.wait_for("q quit");
        session.press(b"q");
        wait_for_the_shell(&mut session);
        session.press(b"exit\n");
        assert!(session.end().success());
    }
}

#[test]
fn without_a_shell_it_does_not_stop() {
    let mut session = Start::replay().session();
    session.wait_for("exfiltration");
    session.press(b"\x1a");
    session.wait_for("there is no shell");
    session.signal(rustix::process::Signal::TSTP);
    session.press(b"?");
    session.wait_for("go back one step");
    session.press(b"q");
    assert!(session.end().success());
}
