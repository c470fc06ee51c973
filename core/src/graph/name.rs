//! Files under other names: who wrote a file is known of the file, whatever it is called.

use super::{Graph, Node, Relation};
use crate::event::{File, Header, Link, Rename};

impl Graph {
    pub(super) fn rename(&mut self, header: &Header, rename: &Rename) {
        self.name_file(&rename.file);
        self.give_name(header, &rename.file);
        if rename.exchanged {
            self.name_file(&rename.from);
            self.give_name(header, &rename.from);
        }
    }

    pub(super) fn link(&mut self, header: &Header, link: &Link) {
        self.name_file(&link.file);
        self.give_name(header, &link.file);
    }

    /// What a file holds comes from who wrote it, and lies where it does because of who gave it the name. Of a file that
    /// nobody was seen writing, the latter is the best that is known.
    fn give_name(&mut self, header: &Header, file: &File) {
        self.relate(header, Relation::Named, Node::File(file.id));
        if self.last_write(file.id).is_none() {
            self.relate(header, Relation::Wrote, Node::File(file.id));
        }
    }

    /// The file is remembered, for it may still be open, or running.
    pub(super) fn unlink(&mut self, file: &File) {
        if file.deleted
            && let Some(known) = self.files.get_mut(&file.id)
        {
            known.deleted = true;
        }
    }
}
