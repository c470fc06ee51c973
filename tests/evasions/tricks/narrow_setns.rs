use std::io;

use lanner_core::event::{NsChangeHow, Payload};
use lanner_tests::calls::{Arg, Call};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "narrow_setns",
    idea: "a 64-bit program enters another namespace by the 32-bit entry",
    shows: "the change of namespaces, as long as 32-bit calls are watched",
    perform,
    seen,
    cannot: sys::no_narrow_calls,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    sys::narrow(&[
        Call(2, 5, vec!["/proc/self/ns/uts".into(), 0.into()]),
        Call(272, 310, vec![libc::CLONE_NEWUTS.into()]),
        Call(308, 346, vec![Arg::Result(0), 0.into()]),
    ])
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells_narrow("both moves", |payload| match payload {
        Payload::Namespace(change) => change.how == NsChangeHow::Setns,
        _ => false,
    })
}
