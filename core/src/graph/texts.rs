//! Texts that occur again and again, each kept once: names, paths, control groups, arguments.

use crate::event::Text;
use crate::persistent::{Bag, Place, Stock};

/// Longer texts than these, in bytes, are not likely to occur again.
const LONGEST: usize = 1_024;
/// How many places are looked at for a text that nobody uses any more, whenever a new one comes.
const SWEPT: u32 = 4;

#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    known: Bag<Text, ()>,
    /// Where the search for unused ones goes on.
    hand: Place,
    bytes: usize,
}

impl Texts {
    /// The same text, sharing its bytes with all others that are the same.
    pub(super) fn share(&mut self, text: &mut Text) {
        if text.as_bytes().len() > LONGEST {
            return;
        }
        match self.known.place(text).and_then(|place| self.known.at(place)) {
            Some((known, ())) => *text = known.clone(),
            None => {
                self.sweep();
                self.bytes += cost(text);
                self.known.insert(text.clone(), ());
            }
        }
    }

    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.known.take_stock()
    }

    fn sweep(&mut self) {
        for _ in 0..SWEPT {
            self.hand = if self.hand >= self.known.end() { 0 } else { self.hand + 1 };
            if self.known.at(self.hand).is_some_and(|(text, ())| !text.is_shared())
                && let Some((text, ())) = self.known.take_out(self.hand)
            {
                self.bytes -= cost(&text);
            }
        }
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn cost(text: &Text) -> usize {
    Bag::<Text, ()>::COST + allocated(text)
}

/// What the bytes of a text take, with the counters before them.
pub(super) fn allocated(text: &Text) -> usize {
    (text.as_bytes().len() + 2 * size_of::<usize>()).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_any_more_is_forgotten() {
        let mut texts = Texts::default();
        let mut kept = Text::from("kept");
        texts.share(&mut kept);
        for i in 0..10_000 {
            texts.share(&mut Text::from(format!("/tmp/{i}")));
        }
        assert!(texts.known.len() < 1_000, "{}", texts.known.len());
        let mut again = Text::from("kept");
        texts.share(&mut again);
        assert!(std::ptr::eq(again.as_bytes(), kept.as_bytes()));
    }
}
