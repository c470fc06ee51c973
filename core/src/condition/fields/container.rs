//! `container.*` and `k8s.*`: the container that the process's control group names.

use std::borrow::Cow;

use super::{ALL, Field, number, text, word};
use crate::condition::scratch::Put;

pub(super) const FIELDS: &[Field] = &[
    text("container.id", ALL, "The first 12 characters of the container's id; `host` outside of containers.", |v| {
        match v.container_id() {
            Some(id) => Some(Cow::Borrowed(id.short_bytes())),
            None => v.task().and_then(|_| word("host")),
        }
    }),
    text("container.full_id", ALL, "The container's whole id.", |v| {
        Some(Cow::Borrowed(v.container_id()?.0.as_bytes()))
    }),
    text("container.info", ALL, "The container, for outputs.", |v| match v.container_id() {
        Some(id) => Some(v.put(Put::Container, |out| {
            out.extend_from_slice(b"container_id=");
            out.extend_from_slice(id.short_bytes());
        })),
        None => word("container_id=host"),
    }),
    number("container.start_ts", ALL, "When the container was first seen: nanoseconds since the node booted.", |v| {
        Some(v.container()?.since.0.into())
    }),
    number("container.duration", ALL, "Nanoseconds since the container was first seen.", |v| {
        Some(v.event.header.time.since(v.container()?.since).as_nanos() as i128)
    }),
    text("k8s.pod.uid", ALL, "The pod's uid, as its control group names it; dashes removed.", |v| {
        Some(Cow::Borrowed(v.container()?.pod.as_ref()?.as_bytes()))
    }),
];
