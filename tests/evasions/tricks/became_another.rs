use lanner_core::event::Payload;
use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "became_another",
    idea: "a process that changes its user without running anything (setresuid)",
    shows: "the users before and after",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    sys::apart(|| sys::call(libc::SYS_setresuid, &[65_534, 65_534, 65_534]).map(drop))
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells(
        "another user",
        |p| matches!(p, Payload::Credentials(c) if c.before.uid == 0 && c.now.uid == 65_534 && c.now.euid == 65_534),
    )
}
