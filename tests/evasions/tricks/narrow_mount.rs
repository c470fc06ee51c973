use std::io;

use lanner_core::event::Payload;
use lanner_tests::calls::Call;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "narrow_mount",
    idea: "a 64-bit program mounts by the 32-bit entry (`int 0x80`), with rubbish in the upper halves of the arguments",
    shows: "what is mounted where, as long as 32-bit calls are watched",
    perform,
    seen,
    cannot: sys::no_narrow_calls,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let private = u32::try_from(libc::MS_REC | libc::MS_PRIVATE).unwrap_or_default();
    sys::narrow(&[
        Call(272, 310, vec![libc::CLONE_NEWNS.into()]),
        Call(165, 21, vec!["none".into(), "/".into(), 0.into(), private.into(), 0.into()]),
        Call(165, 21, vec!["loot".into(), "/mnt".into(), "tmpfs".into(), 0.into(), 0.into()]),
    ])
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells_narrow("the mount", |payload| match payload {
        Payload::Mount(m) => m.place.path.as_bytes() == b"/mnt" && m.fs_type.as_bytes() == b"tmpfs",
        _ => false,
    })
}
