//! `user.*` and `group.*`: as whom.

use super::{ALL, Field, Found, number, text, word};

pub(super) const FIELDS: &[Field] = &[
    number("user.uid", ALL, "The real user's number.", |v| Some(v.task()?.creds.uid.into())),
    text("user.name", ALL, "root for user 0, else `<NA>`: the names of a node's users are not known.", |v| {
        name(v.task()?.creds.uid)
    }),
    number("user.loginuid", ALL, "The number of the user who logged in; -1 when nobody did.", |v| {
        Some(v.task()?.creds.login_uid.map_or(-1, i128::from))
    }),
    text("user.loginname", ALL, "root when user 0 logged in, else `<NA>`.", |v| {
        v.task()?.creds.login_uid.map_or(word("<NA>"), name)
    }),
    number("group.gid", ALL, "The real group's number.", |v| Some(v.task()?.creds.gid.into())),
    text("group.name", ALL, "root for group 0, else `<NA>`.", |v| name(v.task()?.creds.gid)),
];

/// Falco too says `<NA>` when it knows no name, so that `user.name != root` holds.
fn name(id: u32) -> Found<'static> {
    word(if id == 0 { "root" } else { "<NA>" })
}
