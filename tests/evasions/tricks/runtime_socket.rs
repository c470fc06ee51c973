use std::io;
use std::os::unix::net::{UnixListener, UnixStream};

use lanner_core::event::{Payload, Unix, UnixAct, UnixName};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "runtime_socket",
    idea: "a container runtime's socket, bound into a container under another name",
    shows: "the name that the runtime gave it, and the runtime",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let (real, other) = (dir.path().join("docker.sock"), dir.path().join("tmp.123"));
    let listener = UnixListener::bind(&real)?;
    std::fs::hard_link(&real, &other)?;
    let child = sys::fork(|| UnixStream::connect(&other).map(drop))?;
    listener.accept()?;
    sys::wait(child)
}

fn seen(scene: &Scene) -> Result<(), String> {
    let real = |u: &Unix| {
        matches!(&u.name, UnixName::Path(file) if file.path.file_name() == b"docker.sock")
            && u.act == UnixAct::Connected
            && u.peer == Some(scene.cast[0])
    };
    scene.tells("a connection to docker.sock", |p| matches!(p, Payload::Unix(u) if real(u)))
}
