//! `user.*` and `group.*`: as whom.

use std::borrow::Cow;

use super::{ALL, Field, Found, known, number, text, word};
use crate::condition::view::View;

pub(super) const FIELDS: &[Field] = &[
    number("user.uid", ALL, "The real user's number.", |v| Some(v.task()?.context.creds.uid.into())),
    text("user.name", ALL, "The real user's name, where the process runs.", |v| {
        let id = v.task()?.context.creds.uid;
        name(id, v.graph.accounts(v.container_id()).and_then(|list| known(list.user(id)?)))
    }),
    number("user.loginuid", ALL, "The number of the user who logged in; -1 when nobody did.", |v| {
        Some(v.task()?.context.creds.login_uid.map_or(-1, i128::from))
    }),
    text("user.loginname", ALL, "The name of the user who logged in, on the node.", login_name),
    number("group.gid", ALL, "The real group's number.", |v| Some(v.task()?.context.creds.gid.into())),
    text("group.name", ALL, "The real group's name, where the process runs.", |v| {
        let id = v.task()?.context.creds.gid;
        name(id, v.graph.accounts(v.container_id()).and_then(|list| known(list.group(id)?)))
    }),
];

fn login_name(view: View<'_>) -> Found<'_> {
    let Some(id) = view.task()?.context.creds.login_uid else { return word("<NA>") };
    name(id, view.graph.accounts(None).and_then(|list| known(list.user(id)?)))
}

/// Falco too says `<NA>` when it knows no name, so that `user.name != root` holds.
fn name<'a>(id: u32, found: Found<'a>) -> Found<'a> {
    found.or(Some(Cow::Borrowed(if id == 0 { b"root" } else { b"<NA>" })))
}
