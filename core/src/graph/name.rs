//! Files under other names: who wrote a file is known of the file, whatever it is called.

use super::{Graph, Relation};
use crate::event::{File, Header, Link, Rename};

impl Graph {
    pub(super) fn rename(&mut self, header: &Header, rename: &Rename) {
        self.give_name(header, &rename.file);
        if rename.exchanged {
            self.give_name(header, &rename.from);
        }
    }

    pub(super) fn link(&mut self, header: &Header, link: &Link) {
        self.give_name(header, &link.file);
    }

    /// What a file holds comes from who wrote it, and lies where it does because of who gave it the name. Of a file that
    /// nobody was seen writing, the latter is the best that is known.
    fn give_name(&mut self, header: &Header, file: &File) {
        let Some(file) = self.name_file(file) else { return };
        self.relate_to(header, Relation::Named, file);
        if self.nodes.file_at(file).is_some_and(|file| file.last_write().is_none()) {
            self.relate_to(header, Relation::Wrote, file);
        }
    }

    /// The file is remembered, for it may still be open, or running.
    pub(super) fn unlink(&mut self, file: &File) {
        if file.deleted
            && let Some(known) = self.nodes.file_mut(file.id)
        {
            known.file.deleted = true;
        }
    }
}
