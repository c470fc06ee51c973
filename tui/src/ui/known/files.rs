//! Files that were written, executed, renamed, deleted or made executable, and by whom.

use lanner_core::event::{AttributeChange, BootTime, Event, File, FileId, Header, MadeKind, Payload, ProcessKey, Text};
use lanner_core::persistent::{Place, Stock, Table};

use super::going::Going;

/// Files that are kept; for one more another goes, those untouched for longest, what was written and executed last. They
/// are counted.
const MAX_FILES: usize = 32_768;

/// The permission bits that let somebody execute a file.
const EXECUTABLE: u16 = 0o111;

/// Which file, for as long as this program runs.
pub(crate) type FileNumber = u64;

/// Who did something to a file last, and how often it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Deed {
    pub(crate) times: u64,
    pub(crate) by: Option<ProcessKey>,
    pub(crate) time: BootTime,
    /// The last event that tells of it (`header.seq`).
    pub(crate) seq: u64,
}

impl Deed {
    fn again(&mut self, header: &Header) {
        self.times += 1;
        (self.by, self.time, self.seq) = (Some(header.process), header.time, header.seq);
    }

    pub(crate) fn happened(&self) -> bool {
        self.times > 0
    }
}

/// What is done to few files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rare {
    read: Deed,
    renamed: Deed,
    made_executable: Deed,
    deleted: Deed,
}

/// A file, and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) number: FileNumber,
    /// Its latest name.
    pub(crate) file: File,
    /// The name that it had before it was renamed.
    pub(crate) before: Option<Text>,
    pub(crate) created: bool,
    pub(crate) written: Deed,
    pub(crate) executed: Deed,
    /// What is done to few files: it takes as much as all else.
    rare: Option<Box<Rare>>,
    pub(crate) last: BootTime,
    /// Who touched it last.
    pub(crate) by: ProcessKey,
    /// The last event about it (`header.seq`).
    pub(crate) seq: u64,
    written_then_executed: bool,
}

impl Touched {
    fn new(number: FileNumber, file: &File, header: &Header) -> Touched {
        Touched {
            number,
            file: file.clone(),
            before: None,
            created: false,
            written: Deed::default(),
            executed: Deed::default(),
            rare: None,
            last: header.time,
            by: header.process,
            seq: header.seq,
            written_then_executed: false,
        }
    }

    fn rename(&mut self, from: &File, header: &Header) {
        self.before = Some(from.path.clone());
        self.rare().renamed.again(header);
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Read by another than who wrote it, or worth knowing.
    pub(crate) fn read(&self) -> Deed {
        self.rare.as_ref().map_or_else(Deed::default, |rare| rare.read)
    }

    pub(crate) fn renamed(&self) -> Deed {
        self.rare.as_ref().map_or_else(Deed::default, |rare| rare.renamed)
    }

    pub(crate) fn made_executable(&self) -> Deed {
        self.rare.as_ref().map_or_else(Deed::default, |rare| rare.made_executable)
    }

    pub(crate) fn deleted(&self) -> Deed {
        self.rare.as_ref().map_or_else(Deed::default, |rare| rare.deleted)
    }

    /// It was executed after somebody was seen to write it.
    pub(crate) fn is_dropped(&self) -> bool {
        self.written_then_executed
    }

    /// Something about it is other than before, or it lives in memory only.
    pub(crate) fn is_changed(&self) -> bool {
        let changes = [self.written, self.renamed(), self.made_executable(), self.deleted()];
        changes.iter().any(|deed| deed.happened()) || self.file.is_memfd()
    }

    /// Every process that is known to have done something to it last.
    pub(crate) fn doers(&self) -> impl Iterator<Item = ProcessKey> {
        let rare = [self.read(), self.renamed(), self.made_executable(), self.deleted()];
        let deeds = [self.written, self.executed].into_iter().chain(rare);
        deeds.filter_map(|deed| deed.by)
    }
}

/// All of them, in the order in which they became known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    known: Table<FileNumber, Touched>,
    by_id: Table<FileId, FileNumber>,
    /// Of those whose identity the sensor could not tell.
    by_path: Table<Text, FileNumber>,
    next: FileNumber,
    /// How many were executed after they had been written.
    dropped: usize,
    /// Who goes next, the last of them first, each with the last event about it by then: what was touched since stays.
    going: Going,
    let_go: u64,
}

/// Whether a change of a file's attributes is worth a row: its size, or that it can be executed now.
fn tells(change: &AttributeChange) -> bool {
    match change {
        AttributeChange::Mode { before, now: Some(now) } => {
            now & EXECUTABLE != 0 && before.is_none_or(|before| before & EXECUTABLE == 0)
        }
        AttributeChange::Size { .. } => true,
        _ => false,
    }
}

impl Files {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(crate) fn take_stock(&mut self) -> Stock {
        self.known.take_stock() + self.by_id.take_stock() + self.by_path.take_stock() + self.going.stock()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Touched> {
        self.known.values()
    }

    pub(crate) fn get(&self, number: FileNumber) -> Option<&Touched> {
        self.known.get(&number)
    }

    /// The places of all of them: each keeps its own until it is let go.
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.known.end()).filter(|place| self.known.at(*place).is_some())
    }

    pub(crate) fn place(&self, number: FileNumber) -> Option<Place> {
        self.known.place(&number)
    }

    pub(crate) fn at(&self, place: Place) -> Option<&Touched> {
        self.known.at(place).map(|(_, touched)| touched)
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// How many were executed after they had been written.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// How many had to be let go to bound the memory.
    pub(crate) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// The file with this identity, or else of this name.
    pub(crate) fn number_of(&self, file: &File) -> Option<FileNumber> {
        if file.id.is_known() { self.by_id.get(&file.id) } else { self.by_path.get(&file.path) }.copied()
    }

    /// Takes in an event; tells `changed` where the file stands that it speaks of, and where one stood that it lets go.
    pub(crate) fn apply(&mut self, event: &Event, mut changed: impl FnMut(Place)) {
        let header = &event.header;
        let (file, made) = match &event.payload {
            Payload::Open(open) if open.directory => return,
            Payload::Open(open) => (&open.file, open.access.write && open.created),
            Payload::Exec(exec) if !exec.image.exe.path.is_empty() => (&exec.image.exe, false),
            Payload::MemFd(memfd) => (&memfd.file, true),
            Payload::Rename(rename) => (&rename.file, false),
            Payload::Link(link) => (&link.file, link.symbolic),
            Payload::Unlink(unlink) if unlink.directory != Some(true) => (&unlink.file, false),
            Payload::Make(make) if !matches!(make.kind, MadeKind::Directory | MadeKind::Unknown) => (&make.file, true),
            Payload::Attribute(attribute) if tells(&attribute.change) => (&attribute.file, false),
            _ => return,
        };
        let place = self.touch(file, made, header, &mut changed);
        changed(place);
        let touched = self.known.value_mut(place);
        let was_dropped = touched.is_dropped();
        touched.created |= made;
        match &event.payload {
            Payload::Open(open) if !open.access.write => touched.rare().read.again(header),
            Payload::Exec(_) => {
                touched.executed.again(header);
                touched.written_then_executed |= touched.written.happened();
            }
            Payload::Rename(rename) => touched.rename(&rename.from, header),
            Payload::Link(link) if !link.symbolic => touched.rename(&link.target, header),
            Payload::Link(link) => {
                touched.before = Some(link.target.path.clone());
                touched.written.again(header);
            }
            Payload::Unlink(unlink) => {
                touched.rare().deleted.again(header);
                touched.file.deleted = unlink.links.is_none_or(|links| links == 0);
            }
            Payload::Attribute(attribute) if matches!(attribute.change, AttributeChange::Mode { .. }) => {
                touched.rare().made_executable.again(header);
            }
            _ => touched.written.again(header),
        }
        self.dropped += usize::from(touched.is_dropped() && !was_dropped);
    }

    /// Where the file stands, which this event is the last of now. A file that was deleted and is made again is another one,
    /// even where the file system gives it the same number.
    fn touch(&mut self, file: &File, made: bool, header: &Header, changed: &mut impl FnMut(Place)) -> Place {
        let known = self
            .number_of(file)
            .and_then(|number| self.known.place(&number))
            .filter(|place| !(made && self.known.at(*place).is_some_and(|(_, touched)| touched.file.deleted)));
        let place = known.unwrap_or_else(|| {
            if self.known.len() >= MAX_FILES {
                changed(self.let_one_go());
            }
            let number = self.begin(file);
            self.known.insert(number, Touched::new(number, file, header))
        });
        let touched = self.known.value_mut(place);
        // What the kernel resolved is a better name than what a caller passed.
        if !file.path.is_empty() && (!file.as_passed || touched.file.as_passed) {
            touched.file = File { deleted: touched.file.deleted || file.deleted, ..file.clone() };
        }
        (touched.last, touched.by, touched.seq) = (header.time, header.process, header.seq);
        place
    }

    fn begin(&mut self, file: &File) -> FileNumber {
        let number = self.next;
        self.next += 1;
        if file.id.is_known() {
            self.by_id.insert(file.id, number);
        } else {
            self.by_path.insert(file.path.clone(), number);
        }
        number
    }

    /// Lets one go; says where it stood.
    fn let_one_go(&mut self) -> Place {
        loop {
            let Some((place, seq)) = self.going.pop() else {
                self.choose();
                continue;
            };
            let Some(number) = self.at(place).filter(|touched| touched.seq == seq).map(|touched| touched.number) else {
                continue;
            };
            if let Some(touched) = self.known.remove(&number) {
                self.unname(&touched);
                self.dropped -= usize::from(touched.is_dropped());
                self.let_go += 1;
            }
            return place;
        }
    }

    /// Nothing leads to a file any more; to another of the same name or identity it still does.
    fn unname(&mut self, touched: &Touched) {
        let File { id, path, .. } = &touched.file;
        if self.number_of(&touched.file) != Some(touched.number) {
            return;
        }
        if id.is_known() {
            self.by_id.remove(id);
        } else {
            self.by_path.remove(path);
        }
    }

    /// Chooses who goes next.
    fn choose(&mut self) {
        let worth =
            |place: Place| self.at(place).map(|touched| (touched.is_dropped(), touched.last, place, touched.seq));
        self.going = Going::of(self.places().filter_map(worth));
    }
}

#[cfg(test)]
mod tests {
    use lanner_core::event::{Access, Exec, Image, Open, Origin, Task, Through, Unlink};

    use super::*;

    fn event(seq: u64, pid: u32, payload: Payload) -> Event {
        let process = ProcessKey::new(pid, 7);
        Event {
            header: Header { seq, time: BootTime(seq), cpu: 0, process, tid: pid, origin: Origin::Live, compat: false },
            payload,
        }
    }

    fn write(file: File, created: bool) -> Payload {
        let access = Access { read: false, write: true };
        let through = Through::Call;
        Payload::Open(Box::new(Open {
            file,
            fd: 3,
            access,
            created,
            written_before: false,
            directory: false,
            through,
            passed: None,
        }))
    }

    fn exec(exe: File) -> Payload {
        Payload::Exec(Box::new(Exec { task: Task::default(), image: Image { exe, ..Image::default() } }))
    }

    #[test]
    fn what_was_written_and_then_executed_is_marked_and_not_the_other_way_round() {
        let mut files = Files::default();
        let (dropped, edited) = (File::new("/tmp/x", 1, 5), File::new("/bin/sh", 1, 6));
        files.apply(&event(1, 10, write(dropped.clone(), true)), |_| ());
        files.apply(&event(2, 11, exec(edited.clone())), |_| ());
        files.apply(&event(3, 12, exec(dropped.clone())), |_| ());
        files.apply(&event(4, 13, write(edited.clone(), false)), |_| ());
        let of = |file: &File| files.get(files.number_of(file).unwrap()).unwrap().clone();
        assert!(of(&dropped).is_dropped() && !of(&edited).is_dropped());
        assert_eq!(of(&dropped).written.by, Some(ProcessKey::new(10, 7)));
        assert_eq!(of(&dropped).executed.by, Some(ProcessKey::new(12, 7)));
    }

    #[test]
    fn a_number_that_a_file_system_gives_out_again_is_another_file() {
        let mut files = Files::default();
        let first = File::new("/tmp/a", 1, 5);
        files.apply(&event(1, 10, write(first.clone(), true)), |_| ());
        let unlink = Unlink { file: first, links: Some(0), directory: Some(false) };
        files.apply(&event(2, 10, Payload::Unlink(Box::new(unlink))), |_| ());
        files.apply(&event(3, 10, write(File::new("/tmp/b", 1, 5), true)), |_| ());
        let told: Vec<_> = files.iter().map(|t| (t.file.path.to_string(), t.file.deleted)).collect();
        assert_eq!(told, [("/tmp/a".to_owned(), true), ("/tmp/b".to_owned(), false)]);
    }

    #[test]
    fn files_are_bounded_and_what_is_let_go_is_counted() {
        let mut files = Files::default();
        for i in 0..=MAX_FILES as u64 {
            files.apply(&event(i, 10, write(File::new("/tmp/a", 1, i + 1), true)), |_| ());
        }
        assert_eq!((files.len(), files.let_go(), files.by_id.len()), (MAX_FILES, 1, MAX_FILES));
        let number_of = |files: &Files, ino| files.number_of(&File::new("/tmp/a", 1, ino));
        assert!(number_of(&files, 1).is_none() && number_of(&files, 2).is_some());
        // What was chosen to go and was touched since stays, and the next goes in its place.
        files.apply(&event(1_000_000, 10, write(File::new("/tmp/a", 1, 2), false)), |_| ());
        files.apply(&event(1_000_001, 10, write(File::new("/tmp/a", 1, 1), true)), |_| ());
        assert!(number_of(&files, 1).is_some() && number_of(&files, 2).is_some() && number_of(&files, 3).is_none());
        assert_eq!((files.len(), files.let_go(), files.by_id.len()), (MAX_FILES, 2, MAX_FILES));
    }
}
