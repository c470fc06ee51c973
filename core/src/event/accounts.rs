//! What users and groups are called.

use super::{ContainerId, Text};

/// The most users, and the most groups, that one list has.
pub const MAX_ACCOUNTS: usize = 512;

/// The names that a node, or a container, has for users and groups. It replaces what was told of the same before.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Accounts {
    /// Whose they are; absent: the node's own.
    pub container: Option<ContainerId>,
    /// Users by number, in ascending order; each number once. At most [`MAX_ACCOUNTS`].
    pub users: Vec<Account>,
    /// Groups, likewise.
    pub groups: Vec<Account>,
    /// There were more.
    pub cut: bool,
}

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Account {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: Text,
}

impl Accounts {
    /// What a user is called.
    pub fn user(&self, id: u32) -> Option<&Text> {
        find(&self.users, id)
    }

    /// What a group is called.
    pub fn group(&self, id: u32) -> Option<&Text> {
        find(&self.groups, id)
    }
}

fn find(list: &[Account], id: u32) -> Option<&Text> {
    list.binary_search_by_key(&id, |account| account.id).ok().map(|at| &list[at].name)
}
