use std::io;

use lanner_core::event::Payload;
use lanner_tests::calls::{Arg, Call};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "narrow_memory",
    idea: "a 64-bit program makes a file in memory and seals it by the 32-bit entry",
    shows: "the file and the seals, as long as 32-bit calls are watched",
    perform,
    seen,
    cannot: sys::no_narrow_calls,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    sys::narrow(&[
        Call(319, 356, vec!["payload".into(), 2.into()]),
        Call(72, 221, vec![Arg::Result(0), libc::F_ADD_SEALS.into(), libc::F_SEAL_WRITE.into()]),
    ])
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells_narrow("a file in memory", |payload| matches!(payload, Payload::MemFd(_)))?;
    scene.tells_narrow("its seals", |payload| match payload {
        Payload::Seal(seal) => seal.added.0 == libc::F_SEAL_WRITE.cast_unsigned(),
        _ => false,
    })
}
