//! However it ends, the terminal is as it was, and whoever waits is told how it ended.

use rustix::process::Signal;

use super::session::Start;

/// What the standard library calls these signals.
#[test]
fn a_signal_gives_the_terminal_back_and_is_what_it_ends_by() {
    for (signal, name) in [(Signal::TERM, "Terminated"), (Signal::HUP, "Hangup"), (Signal::INT, "Interrupt")] {
        let mut session = Start::replay().session();
        session.wait_for("exfiltration");
        assert!(session.screen.screen().alternate_screen());
        session.signal(signal);
        assert_eq!(session.end().signal(), Some(name));
    }
}

#[test]
fn each_way_out_is_a_success() {
    for keys in [&b"q"[..], b"\x03", b"/tar\x03", b"?q", b":quit\r"] {
        let mut session = Start::replay().session();
        session.wait_for("exfiltration");
        session.press(keys);
        assert_eq!(session.end().exit_code(), 0);
    }
}

/// A program whose terminal has gone ends, also where no signal tells it so.
#[test]
fn a_terminal_that_goes_ends_it() {
    for controls in [true, false] {
        let mut session = Start { controls, ..Start::replay() }.session();
        session.wait_for("exfiltration");
        session.close();
        assert_eq!(session.ended().signal(), Some("Hangup"), "controls: {controls}");
    }
}
