//! What terminals can show.

use super::session::Start;

#[test]
fn without_colours_and_unicode_nothing_of_either_is_written() {
    let mut session = Start::replay().variable("NO_COLOR", "1").variable("LANG", "C").session();
    session.wait_for("exfiltration");
    session.press(b"3");
    session.wait_for("ran nsenter");
    session.press(b"q");
    assert!(session.end().success());
    let written = String::from_utf8(session.written).unwrap();
    assert!(written.is_ascii());
    assert!(!written.contains("\x1b[38;") && !written.contains("\x1b[31m"), "a colour was written");
}

#[test]
fn each_kind_of_terminal_gets_what_it_can_show() {
    for (term, ascii) in [("linux", true), ("xterm", false), ("screen", false), ("tmux-256color", false)] {
        let mut session = Start::replay().variable("TERM", term).session();
        session.wait_for("exfiltration");
        session.press(b"3");
        session.wait_for("ran nsenter");
        session.press(b"q");
        assert!(session.end().success());
        let written = String::from_utf8(session.written).unwrap();
        assert_eq!(written.is_ascii(), ascii, "{term}");
        assert!(written.contains("\x1b[38;5;") && !written.contains("\x1b[38;2;"), "{term} has 16 colours");
    }
    let mut session = Start::replay().variable("COLORTERM", "truecolor").session();
    session.wait_for("exfiltration");
    session.press(b"q");
    assert!(session.end().success());
    assert!(session.written.windows(7).any(|w| w == b"\x1b[38;2;"));
}

#[test]
fn a_terminal_that_cannot_place_text_is_refused_in_a_sentence() {
    for term in ["dumb", ""] {
        let mut session = Start::replay().variable("TERM", term).session();
        assert_eq!(session.end().exit_code(), 2);
        let said = if term.is_empty() { "TERM is unset" } else { "TERM=dumb" };
        assert!(session.text().contains(said), "{}", session.text());
        assert!(!session.written.contains(&0x1b), "no escape sequence");
    }
}
