//! What users and groups are called.

use lanner_core::event::{Account, Accounts, ContainerId, MAX_ACCOUNTS};

use super::{Refused, bytes, text};
use crate::v1;

impl From<&Accounts> for v1::Accounts {
    fn from(accounts: &Accounts) -> Self {
        let list = |list: &[Account]| {
            list.iter().take(MAX_ACCOUNTS).map(|a| v1::Account { id: a.id, name: bytes(&a.name) }).collect()
        };
        v1::Accounts {
            container: accounts.container.as_ref().map(|id| bytes(&id.0)),
            users: list(&accounts.users),
            groups: list(&accounts.groups),
            cut: accounts.cut || accounts.users.len().max(accounts.groups.len()) > MAX_ACCOUNTS,
        }
    }
}

impl TryFrom<v1::Accounts> for Accounts {
    type Error = Refused;

    fn try_from(accounts: v1::Accounts) -> Result<Self, Refused> {
        Ok(Accounts {
            container: accounts.container.map(|id| text(id, "container")).transpose()?.map(ContainerId),
            users: list(accounts.users, "users")?,
            groups: list(accounts.groups, "groups")?,
            cut: accounts.cut,
        })
    }
}

/// They are looked up by their numbers, which must be in order.
fn list(list: Vec<v1::Account>, field: &'static str) -> Result<Vec<Account>, Refused> {
    if list.len() > MAX_ACCOUNTS || !list.is_sorted_by(|a, b| a.id < b.id) {
        return Err(Refused::Malformed(field));
    }
    list.into_iter().map(|account| Ok(Account { id: account.id, name: text(account.name, field)? })).collect()
}
