//! Sets of texts, to be asked for one that mostly is not among them.

/// Texts, sorted.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    sorted: Box<[Box<[u8]>]>,
    outline: Outline,
}

/// What texts have in common: most that are not among them differ in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    /// A bit for each length; the last for all that are longer.
    lengths: u64,
    /// A bit for each first byte.
    firsts: [u64; 4],
}

impl Outline {
    /// Adds a text.
    pub(crate) fn add(&mut self, text: &[u8]) {
        let (word, bit) = first(text);
        self.lengths |= length(text);
        self.firsts[word] |= bit;
    }

    /// Whether the text may be among them.
    pub(crate) fn fits(&self, text: &[u8]) -> bool {
        let (word, bit) = first(text);
        self.lengths & length(text) != 0 && self.firsts[word] & bit != 0
    }
}

impl Texts {
    pub(super) fn new(texts: impl Iterator<Item = Box<[u8]>>) -> Texts {
        let mut sorted: Vec<Box<[u8]>> = texts.collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut outline = Outline::default();
        sorted.iter().for_each(|text| outline.add(text));
        Texts { sorted: sorted.into(), outline }
    }

    pub(super) fn has(&self, text: &[u8]) -> bool {
        self.outline.fits(text) && self.sorted.binary_search_by(|known| (**known).cmp(text)).is_ok()
    }

    pub(super) fn to_vec(&self) -> Vec<Box<[u8]>> {
        self.sorted.to_vec()
    }
}

fn length(text: &[u8]) -> u64 {
    1 << text.len().min(63)
}

fn first(text: &[u8]) -> (usize, u64) {
    let first = text.first().copied().unwrap_or(0);
    (usize::from(first / 64), 1 << (first % 64))
}

/// Beginnings of texts: sorted, and none of them the beginning of another.
#[derive(Debug, Clone)]
pub(super) struct Prefixes(Box<[Box<[u8]>]>);

impl Prefixes {
    pub(super) fn new(mut prefixes: Vec<Box<[u8]>>) -> Prefixes {
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter));
        Prefixes(prefixes.into())
    }

    /// Whether one of them begins the text: only the last that does not come behind it can.
    pub(super) fn begin(&self, text: &[u8]) -> bool {
        let behind = self.0.partition_point(|prefix| **prefix <= *text);
        behind > 0 && text.starts_with(&self.0[behind - 1])
    }

    pub(super) fn to_vec(&self) -> Vec<Box<[u8]>> {
        self.0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_found_and_no_others() {
        let long = "x".repeat(300);
        let all = ["", "a", "\u{ff}", "sh", "bash", &long];
        let set = Texts::new(all.iter().map(|t| t.as_bytes().into()));
        assert!(all.iter().all(|text| set.has(text.as_bytes())));
        let strange = ["b", "s", "ash", "shh", &long[1..], "\0"];
        assert!(!strange.iter().any(|text| set.has(text.as_bytes())));
        assert!(!Texts::new(std::iter::empty()).has(b""));
    }

    #[test]
    fn a_text_that_begins_with_any_is_known() {
        let prefixes = |all: &[&str]| Prefixes::new(all.iter().map(|t| t.as_bytes().into()).collect());
        let some = prefixes(&["/root/.a", "/etc/", "/root/", "/root/.ab", "/usr/bin"]);
        assert_eq!(some.0.len(), 3);
        for (text, expected) in [
            ("/root/.zzz", true),
            ("/root", false),
            ("/etc/x", true),
            ("/usr/bing", true),
            ("/a", false),
            ("/z", false),
        ] {
            assert_eq!(some.begin(text.as_bytes()), expected, "{text}");
        }
        assert!(prefixes(&["", "x"]).begin(b"") && !prefixes(&[]).begin(b"x"));
    }
}
