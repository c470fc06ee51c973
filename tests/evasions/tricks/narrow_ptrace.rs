use std::io;

use lanner_core::event::Payload;
use lanner_tests::calls::Call;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "narrow_ptrace",
    idea: "a 64-bit program attaches to another by the 32-bit ptrace",
    shows: "who attaches to whom, as long as 32-bit calls are watched",
    perform,
    seen,
    cannot: sys::no_narrow_calls,
    ..Trick::PLAIN
};

const PTRACE_SEIZE: u32 = 0x4206;

fn perform() -> io::Result<()> {
    let target = sys::waiting()?;
    sys::narrow(&[Call(101, 26, vec![PTRACE_SEIZE.into(), target.pid.into(), 0.into(), 0.into()])])?;
    target.end()
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells_narrow("who is traced", |payload| match payload {
        Payload::Trace(trace) => {
            trace.request == PTRACE_SEIZE && trace.errno == 0 && scene.cast.contains(&trace.target)
        }
        _ => false,
    })
}
