use std::io;

use lanner_core::event::{Payload, UringOp};
use lanner_tests::ring::{self, Entry, Ring, creating};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

/// `IORING_OP_UNLINKAT`.
const UNLINK: u8 = 36;

pub(crate) const TRICK: Trick = Trick {
    name: "ring_silent",
    idea: "operations of io_uring that ask for no word when they are done (`IOSQE_CQE_SKIP_SUCCESS`): hooks on that hear none",
    shows: "each of the operations, with its name as asked for",
    perform,
    seen,
    cannot,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    sys::apart(|| {
        let mut ring = Ring::new(2, 0)?;
        for name in ["first", "second"] {
            let path = sys::path(dir.path().join(name));
            done(ring.ask_silently(creating(&path))?)?;
            let addr = path.as_ptr() as u64;
            done(ring.ask_silently(Entry { opcode: UNLINK, fd: libc::AT_FDCWD, addr, ..Entry::default() })?)?;
        }
        Ok(())
    })
}

fn done(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(-result)) }
}

/// A kernel that has rings need not have silent ones.
fn cannot() -> Option<String> {
    let silent = || Ring::new(2, 0)?.ask_silently(Entry::default());
    ring::missing().or_else(|| (silent().ok() != Some(0)).then(|| "rings always say when they are done here".to_owned()))
}

fn seen(scene: &Scene) -> Result<(), String> {
    for (operation, name) in [("openat", "first"), ("unlinkat", "first"), ("openat", "second"), ("unlinkat", "second")] {
        let is_it = |op: &UringOp| {
            let path = op.path.as_ref().map(ToString::to_string);
            op.operation.name() == operation && path.is_some_and(|path| path.ends_with(name))
        };
        scene.tells(&format!("{operation} of {name}"), |p| matches!(p, Payload::UringOp(op) if is_it(op)))?;
    }
    Ok(())
}
