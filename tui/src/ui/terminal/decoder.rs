//! What the terminal sends, byte by byte, into keys. Sequences may come in pieces, however slowly: what has begun is held
//! until the rest of it comes, or until whoever asks has waited long enough and says so.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What is pasted is taken up to this many bytes.
const LONGEST_PASTE: usize = 16 * 1024;

/// No sequence that means a key is longer, in bytes.
const LONGEST: usize = 32;

const ESC: u8 = 0x1b;

/// Something that the user did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// A key.
    Key(KeyEvent),
    /// Text that was pasted, as the terminal marks it (bracketed paste).
    Paste(String),
}

/// Takes bytes, gives what they mean.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// A sequence, or a character, of which the rest has not come.
    held: Vec<u8>,
    /// What has been pasted so far.
    pasted: Option<Vec<u8>>,
    typed: VecDeque<Typed>,
}

impl Decoder {
    /// Takes in what was read.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match &mut self.pasted {
                Some(_) => self.paste(*byte),
                None => self.byte(*byte),
            }
        }
    }

    /// What was typed, oldest first.
    pub(crate) fn next(&mut self) -> Option<Typed> {
        self.typed.pop_front()
    }

    /// A key has begun that may go on, or may have been all.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// The end of what is pasted has not come.
    pub(crate) fn is_pasting(&self) -> bool {
        self.pasted.is_some()
    }

    /// Nothing came for long enough: what has begun was all.
    pub(crate) fn no_more(&mut self) {
        if let Some(pasted) = self.pasted.take() {
            self.typed.push_back(Typed::Paste(String::from_utf8_lossy(&pasted).into_owned()));
        }
        match self.held[..] {
            [ESC] => self.code(KeyCode::Esc),
            // Typed by hand, one after the other.
            [ESC, c @ (b'[' | b'O')] => {
                self.code(KeyCode::Esc);
                self.code(KeyCode::Char(char::from(c)));
            }
            _ => {}
        }
        self.held.clear();
    }

    fn byte(&mut self, byte: u8) {
        match self.held[..] {
            [] => self.first(byte),
            [ESC] if matches!(byte, b'[' | b'O') => self.held.push(byte),
            // Esc with a key right behind it, as a slow line delivers them, is both, and never a key with Alt.
            [ESC] => {
                self.held.clear();
                self.code(KeyCode::Esc);
                self.first(byte);
            }
            [ESC, ..] if byte < 0x20 || byte == 0x7f => {
                self.held.clear();
                self.first(byte);
            }
            [ESC, b'O'] => {
                self.held.clear();
                self.application(byte);
            }
            [ESC, ..] => self.sequence(byte),
            _ => self.character(byte),
        }
    }

    /// The first byte of something.
    fn first(&mut self, byte: u8) {
        match byte {
            ESC | 0x80.. => self.held.push(byte),
            b'\r' => self.code(KeyCode::Enter),
            b'\t' => self.code(KeyCode::Tab),
            0x7f => self.code(KeyCode::Backspace),
            0 => self.control(' '),
            0x01..=0x1a => self.control(char::from(byte - 1 + b'a')),
            0x1c..=0x1f => self.control(char::from(byte - 0x1c + b'4')),
            _ => self.code(KeyCode::Char(char::from(byte))),
        }
    }

    /// A further byte of a character in UTF-8.
    fn character(&mut self, byte: u8) {
        if byte & 0xc0 != 0x80 {
            // What was held is no character. This may begin one.
            self.held.clear();
            self.byte(byte);
            return;
        }
        self.held.push(byte);
        match std::str::from_utf8(&self.held).map(|text| text.chars().next()) {
            Ok(Some(c)) => {
                self.held.clear();
                self.code(KeyCode::Char(c));
            }
            Err(error) if error.error_len().is_none() => {}
            _ => self.held.clear(),
        }
    }

    /// A further byte of a control sequence (ECMA-48, 5.4).
    fn sequence(&mut self, byte: u8) {
        self.held.push(byte);
        match self.held[2..] {
            // The Linux console's F1 to F5.
            [b'['] => {}
            [b'[', key] => {
                self.held.clear();
                if let n @ b'A'..=b'E' = key {
                    self.code(KeyCode::F(n - b'A' + 1));
                }
            }
            // A report of a mouse that another program forgot to turn off: three bytes follow.
            [b'M', _, _, _] => self.held.clear(),
            [b'M', ..] => {}
            [.., 0x40..=0x7e] => {
                let whole = std::mem::take(&mut self.held);
                self.control_sequence(&whole[2..]);
            }
            _ if self.held.len() > LONGEST => self.held.clear(),
            _ => {}
        }
    }

    fn control_sequence(&mut self, sequence: &[u8]) {
        let Some((last, parameters)) = sequence.split_last() else { return };
        let mut numbers = parameters.split(|b| *b == b';').map(number);
        let first = numbers.next().flatten();
        let held_down = modifiers(numbers.next().flatten());
        let code = match (last, first) {
            (b'Z', _) => KeyCode::BackTab,
            (b'u', Some(n)) => match u32::from(n) {
                13 => KeyCode::Enter,
                27 => KeyCode::Esc,
                9 => KeyCode::Tab,
                127 => KeyCode::Backspace,
                n => match char::from_u32(n).filter(|c| !c.is_control()) {
                    Some(c) => KeyCode::Char(c),
                    None => return,
                },
            },
            (b'~', Some(200)) => {
                self.pasted = Some(Vec::new());
                return;
            }
            (b'~', Some(n)) => match n {
                1 | 7 => KeyCode::Home,
                2 => KeyCode::Insert,
                3 => KeyCode::Delete,
                4 | 8 => KeyCode::End,
                5 => KeyCode::PageUp,
                6 => KeyCode::PageDown,
                11..=15 => function(n - 10),
                17..=21 => function(n - 11),
                23 | 24 => function(n - 12),
                _ => return,
            },
            (last, None | Some(1)) => match cursor_key(*last) {
                Some(code) => code,
                None => return,
            },
            // What a terminal tells (focus, its size, where its cursor is, what it is) is no key.
            _ => return,
        };
        self.typed.push_back(Typed::Key(KeyEvent::new(code, held_down)));
    }

    /// A key of a keypad in application mode.
    fn application(&mut self, byte: u8) {
        match cursor_key(byte) {
            Some(code) => self.code(code),
            None if byte == b'M' => self.code(KeyCode::Enter),
            // The keypad's digits and signs: `j` to `y` are `*` to `9`.
            None if matches!(byte, b'j'..=b'y') => self.code(KeyCode::Char(char::from(byte - b'j' + b'*'))),
            None => {}
        }
    }

    fn paste(&mut self, byte: u8) {
        const END: &[u8] = b"\x1b[201~";
        let Some(pasted) = &mut self.pasted else { return };
        pasted.push(byte);
        if pasted.ends_with(END) {
            let all = pasted.len() - END.len();
            let text = String::from_utf8_lossy(&pasted[..all.min(LONGEST_PASTE)]).into_owned();
            self.pasted = None;
            self.typed.push_back(Typed::Paste(text));
        } else if pasted.len() > LONGEST_PASTE + END.len() {
            // What is too long keeps its beginning; its end is still looked for.
            pasted.drain(LONGEST_PASTE..=LONGEST_PASTE);
        }
    }

    fn code(&mut self, code: KeyCode) {
        self.typed.push_back(Typed::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }

    fn control(&mut self, c: char) {
        self.typed.push_back(Typed::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)));
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Which keys were held down, as xterm counts them: one more than a set of bits, of which the third is Control.
fn modifiers(number: Option<u16>) -> KeyModifiers {
    let bits = number.unwrap_or(1).saturating_sub(1);
    if bits & 4 == 0 { KeyModifiers::NONE } else { KeyModifiers::CONTROL }
}

fn function(n: u16) -> KeyCode {
    KeyCode::F(u8::try_from(n).unwrap_or(0))
}

fn cursor_key(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode) -> Typed {
        Typed::Key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn ctrl(c: char) -> Typed {
        Typed::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
    }

    /// What comes of bytes that come in these pieces, and nothing after them.
    fn typed(pieces: &[&[u8]]) -> Vec<Typed> {
        let mut decoder = Decoder::default();
        pieces.iter().for_each(|piece| decoder.take(piece));
        decoder.no_more();
        assert!(!decoder.is_waiting() && !decoder.is_pasting());
        std::iter::from_fn(|| decoder.next()).collect()
    }

    fn chars(text: &str) -> Vec<Typed> {
        text.chars().map(|c| key(KeyCode::Char(c))).collect()
    }

    #[test]
    fn keys_are_what_terminals_send_for_them() {
        let all: &[(&[u8], KeyCode)] = &[
            (b"\x1b[A", KeyCode::Up),
            (b"\x1bOA", KeyCode::Up),
            (b"\x1b[1;2B", KeyCode::Down),
            (b"\x1b[H", KeyCode::Home),
            (b"\x1b[1~", KeyCode::Home),
            (b"\x1b[4~", KeyCode::End),
            (b"\x1b[5~", KeyCode::PageUp),
            (b"\x1b[6~", KeyCode::PageDown),
            (b"\x1b[3~", KeyCode::Delete),
            (b"\x1b[Z", KeyCode::BackTab),
            (b"\x1bOP", KeyCode::F(1)),
            (b"\x1b[[A", KeyCode::F(1)),
            (b"\x1b[11~", KeyCode::F(1)),
            (b"\x1b[17~", KeyCode::F(6)),
            (b"\x1b[24~", KeyCode::F(12)),
            (b"\x1bOM", KeyCode::Enter),
            (b"\x1bOp", KeyCode::Char('0')),
            (b"\r", KeyCode::Enter),
            (b"\t", KeyCode::Tab),
            (b"\x7f", KeyCode::Backspace),
            (b"\x1b", KeyCode::Esc),
            (b"\x1b[27u", KeyCode::Esc),
            ("é".as_bytes(), KeyCode::Char('é')),
            ("𝄞".as_bytes(), KeyCode::Char('𝄞')),
        ];
        for (bytes, code) in all {
            assert_eq!(typed(&[bytes]), [key(*code)], "{}", bytes.escape_ascii());
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(typed(&single), [key(*code)], "{} byte by byte", bytes.escape_ascii());
        }
        assert_eq!(typed(&[b"\x03\x1a\x08\n\0"]), [ctrl('c'), ctrl('z'), ctrl('h'), ctrl('j'), ctrl(' ')]);
        assert_eq!(typed(&[b"\x1b[99;5u"]), [ctrl('c')]);
    }

    #[test]
    fn escape_and_a_key_that_come_as_one_are_two() {
        let both = |code| vec![key(KeyCode::Esc), key(code)];
        assert_eq!(typed(&[b"\x1b2"]), both(KeyCode::Char('2')));
        assert_eq!(typed(&[b"\x1b]"]), both(KeyCode::Char(']')));
        assert_eq!(typed(&[b"\x1b["]), both(KeyCode::Char('[')));
        assert_eq!(typed(&[b"\x1b\x1b"]), both(KeyCode::Esc));
        assert_eq!(typed(&[b"\x1b\x1b[A"]), both(KeyCode::Up));
    }

    #[test]
    fn what_is_no_key_does_nothing_and_what_follows_it_is_read() {
        for noise in [
            &b"\x1b[?62;22c"[..],
            b"\x1b[I",
            b"\x1b[<0;12;7M",
            b"\x1b[M !!",
            b"\x1b[12;40R",
            b"\x1b[99999999~",
            b"\x1b[555555u",
            b"\xff",
            b"\xc3",
            b"\xe2\x82",
            b"\x1bOz",
        ] {
            assert_eq!(typed(&[noise, b"q"]), chars("q"), "{}", noise.escape_ascii());
        }
        assert_eq!(typed(&[b"\x1b[1\x03"]), [ctrl('c')], "Ctrl-C is heard inside of anything");
        let endless = [b"\x1b[".as_slice(), &[b'1'; 1000]].concat();
        let mut decoder = Decoder::default();
        decoder.take(&endless);
        assert!(decoder.held.len() <= LONGEST);
    }

    #[test]
    fn what_is_pasted_is_text_and_no_keys() {
        let bytes = "\x1b[200~q\r\x1b[A µ\x1b[201~q".as_bytes();
        let expected = [Typed::Paste("q\r\x1b[A µ".to_owned()), key(KeyCode::Char('q'))];
        assert_eq!(typed(&[bytes]), expected);
        assert_eq!(typed(&bytes.chunks(1).collect::<Vec<_>>()), expected);
        let long = [b"\x1b[200~".as_slice(), &[b'x'; 50_000], b"\x1b[201~"].concat();
        assert_eq!(typed(&[&long]), [Typed::Paste("x".repeat(LONGEST_PASTE))]);
        assert_eq!(typed(&[b"\x1b[200~cut short"]), [Typed::Paste("cut short".to_owned())]);
    }

    /// However bytes are cut into pieces, they mean the same, and nothing that is sent is more than text, keys or noise.
    #[test]
    fn pieces_mean_what_the_whole_means() {
        let mut state = 0x9e37_79b9_u32;
        let mut random = |below: u32| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state % below
        };
        let alphabet = b"\x1b\x1b\x1b[[OMAZ~;1209<?uq\r\x03\x7f\xc3\xa9\xf0\xff ";
        for _ in 0..3_000 {
            let bytes: Vec<u8> = (0..random(24)).map(|_| alphabet[random(alphabet.len() as u32) as usize]).collect();
            let cut = random(bytes.len() as u32 + 1) as usize;
            let (one, two) = bytes.split_at(cut);
            assert_eq!(typed(&[one, two]), typed(&[&bytes]), "{} at {cut}", bytes.escape_ascii());
        }
    }
}
