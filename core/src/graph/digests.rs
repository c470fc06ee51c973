//! What files held that were run, and when.

use crate::event::{BootTime, Digest, FileId, Sha256};
use crate::persistent::{Stock, Table};

/// Files whose sums are kept; those told of longest ago go first, and are counted.
const MAX_FILES: usize = 16_384;
/// Contents of one file that are kept; a program is seldom built anew in its place more often.
const MAX_CONTENTS: usize = 8;

/// Sums of files.
#[derive(Debug, Clone, Default)]
pub(super) struct Digests {
    files: Table<FileId, Vec<Content>>,
    let_go: u64,
}

/// What a file held since some time.
#[derive(Debug, Clone, Copy)]
struct Content {
    since: BootTime,
    /// `None`: it was written to, and not read since.
    sha256: Option<Sha256>,
}

impl Digests {
    pub(super) fn learn(&mut self, digest: &Digest) {
        let id = digest.file.id;
        if !id.is_known() {
            return;
        }
        if !self.files.contains_key(&id) && self.files.len() >= MAX_FILES {
            self.files.pop_first();
            self.let_go += 1;
        }
        put(self.files.or_insert_with(id, Vec::new), Content { since: digest.since, sha256: Some(digest.sha256) });
    }

    /// A file may hold something else from now on.
    pub(super) fn written(&mut self, id: FileId, time: BootTime) {
        if let Some(contents) = self.files.get_mut(&id)
            && contents.last().is_some_and(|content| content.sha256.is_some())
        {
            put(contents, Content { since: time, sha256: None });
        }
    }

    /// What a file held at that time.
    pub(super) fn of(&self, id: FileId, time: BootTime) -> Option<Sha256> {
        let contents = self.files.get(&id)?;
        contents.iter().rev().find(|content| content.since <= time)?.sha256
    }

    /// See [`Table::seal`].
    pub(super) fn take_stock(&mut self) -> Stock {
        self.files.take_stock()
    }

    pub(super) fn bytes(&self) -> usize {
        self.files.len() * (48 + size_of::<FileId>() + 2 * size_of::<Content>())
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }
}

/// In the order of time; what is told of one moment twice counts as it was told last, and what is told again of later
/// ones is known.
fn put(contents: &mut Vec<Content>, content: Content) {
    contents.retain(|other| other.since != content.since);
    let at = contents.partition_point(|other| other.since < content.since);
    if at.checked_sub(1).is_some_and(|before| contents[before].sha256 == content.sha256) {
        return;
    }
    contents.insert(at, content);
    if contents.len() > MAX_CONTENTS {
        contents.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::File;

    fn digest(ino: u64, since: u64, sum: u8) -> Digest {
        let file = File::new("/bin/tool", 1, ino);
        Digest { file, since: BootTime(since), sha256: Sha256([sum; 32]) }
    }

    fn sum(digests: &Digests, ino: u64, time: u64) -> Option<u8> {
        digests.of(FileId { dev: 1, ino }, BootTime(time)).map(|sha256| sha256.0[0])
    }

    #[test]
    fn each_image_has_the_content_of_its_time() {
        let mut digests = Digests::default();
        digests.learn(&digest(7, 10, 1));
        digests.written(FileId { dev: 1, ino: 7 }, BootTime(20));
        assert_eq!([9, 10, 19, 20].map(|time| sum(&digests, 7, time)), [None, Some(1), Some(1), None]);
        digests.learn(&digest(7, 30, 2));
        assert_eq!([15, 25, 30].map(|time| sum(&digests, 7, time)), [Some(1), None, Some(2)]);
        (40..60).for_each(|since| digests.learn(&digest(7, since, 2)));
        assert_eq!(sum(&digests, 7, 15), Some(1), "nothing is let go for what is told again");
        digests.written(FileId { dev: 1, ino: 8 }, BootTime(1));
        assert_eq!(sum(&digests, 8, 2), None, "of what nobody ran nothing is kept");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut digests = Digests::default();
        (0..100).for_each(|i| digests.learn(&digest(7, i * 10, i as u8)));
        assert_eq!((sum(&digests, 7, 1_000), sum(&digests, 7, 10)), (Some(99), None));
        (0..MAX_FILES as u64).for_each(|ino| digests.learn(&digest(100 + ino, 1, 1)));
        assert_eq!((sum(&digests, 7, 1_000), digests.let_go()), (None, 1));
    }
}
