//! The names of users and groups: the node's, and those that containers have of their own.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::event::{Accounts, ContainerId};

/// Containers whose names are kept; those told of longest ago go first, and are counted.
const MAX_CONTAINERS: usize = 256;

/// Lists of names.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    host: Option<Arc<Accounts>>,
    containers: IndexMap<ContainerId, Arc<Accounts>>,
    let_go: u64,
}

impl Lists {
    /// Takes a list in the place of the one before.
    pub(super) fn learn(&mut self, accounts: &Accounts) {
        let Some(container) = &accounts.container else {
            self.host = Some(Arc::new(accounts.clone()));
            return;
        };
        self.containers.shift_remove(container);
        if self.containers.len() >= MAX_CONTAINERS {
            self.containers.shift_remove_index(0);
            self.let_go += 1;
        }
        self.containers.insert(container.clone(), Arc::new(accounts.clone()));
    }

    /// The list of a container, or the node's own.
    pub(super) fn of(&self, container: Option<&ContainerId>) -> Option<&Accounts> {
        match container {
            Some(id) => self.containers.get(id).map(|list| &**list),
            None => self.host.as_deref(),
        }
    }

    /// All of them, the node's first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Accounts> {
        self.host.iter().chain(self.containers.values()).map(|list| &**list)
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Account;

    fn list(container: Option<&str>, name: &str) -> Accounts {
        let users = vec![Account { id: 7, name: name.into() }];
        Accounts { container: container.map(|id| ContainerId(id.into())), users, ..Accounts::default() }
    }

    #[test]
    fn a_container_has_names_of_its_own_and_the_oldest_list_goes_first() {
        let mut lists = Lists::default();
        lists.learn(&list(None, "lp"));
        lists.learn(&list(Some("a"), "own"));
        let user = |lists: &Lists, of: Option<&str>| {
            let id = of.map(|id| ContainerId(id.into()));
            lists.of(id.as_ref()).and_then(|list| Some(list.user(7)?.to_string()))
        };
        assert_eq!((user(&lists, None).as_deref(), user(&lists, Some("a")).as_deref()), (Some("lp"), Some("own")));
        assert_eq!(user(&lists, Some("b")), None, "never the node's");
        lists.learn(&list(Some("a"), "renamed"));
        assert_eq!(user(&lists, Some("a")).as_deref(), Some("renamed"));
        for n in 0..MAX_CONTAINERS {
            lists.learn(&list(Some(&format!("c{n}")), "x"));
        }
        assert_eq!((user(&lists, Some("a")), lists.let_go(), lists.all().count()), (None, 1, MAX_CONTAINERS + 1));
    }
}
