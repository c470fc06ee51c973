//! Sizes: followed at once, whatever they are.

use super::session::{Start, at_least_one};

#[test]
fn a_resize_is_followed_and_the_selection_stays() {
    let mut session = Start::replay().session();
    session.wait_for("exfiltration");
    session.press(b"\rjj");
    session.wait_for("› stage 3");
    for (columns, rows) in [(120, 40), (12, 3), (40, 10)] {
        session.resize(columns, rows);
        session.wait_for(if columns < 20 { "lanner" } else { "stage 3" });
    }
    session.press(b"\x03");
    assert!(session.end().success());
}

#[test]
fn a_terminal_without_a_size_is_taken_for_one_of_80_by_24() {
    let mut session = Start::replay().size(0, 0).session();
    session.screen.screen_mut().set_size(at_least_one(24), at_least_one(80));
    session.wait_for("exfiltration");
    session.press(b"q");
    assert!(session.end().success());
}

/// Sizes change faster than frames are drawn; the last one counts.
#[test]
fn a_storm_of_sizes_ends_in_the_last() {
    let mut session = Start::replay().session();
    session.wait_for("exfiltration");
    let mut state = 1_u32;
    let mut below = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from((state >> 16) % n).unwrap()
    };
    for screen in [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"?"] {
        session.press(screen);
        for _ in 0..60 {
            session.resize(1 + below(300), 1 + below(100));
        }
        for (columns, rows) in [(1, 1), (300, 100), (300, 1), (1, 100), (0, 0)] {
            session.resize(columns, rows);
        }
    }
    session.press(b"\x1b1");
    session.resize(80, 24);
    session.press(b"\x0c");
    session.wait_for("exfiltration");
    session.wait_until("the footer in the last line", |screen| {
        screen.rows(0, 80).nth(23).is_some_and(|row| row.contains("q quit"))
    });
    session.press(b"q");
    assert!(session.end().success());
}
