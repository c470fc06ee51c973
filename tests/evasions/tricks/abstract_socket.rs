use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use lanner_core::event::{Payload, Unix, UnixAct, UnixName};

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "abstract_socket",
    idea: "two processes that speak over a socket without a file",
    shows: "the name that one listens on, and that the other connected to it",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    let address = SocketAddr::from_abstract_name("lanner-evasion")?;
    let listener = UnixListener::bind_addr(&address)?;
    let child = sys::fork(|| UnixStream::connect_addr(&address).map(drop))?;
    listener.accept()?;
    sys::wait(child)
}

fn seen(scene: &Scene) -> Result<(), String> {
    let named = |u: &Unix| matches!(&u.name, UnixName::Abstract(name) if *name == "lanner-evasion");
    scene.tells("that it listens", |p| matches!(p, Payload::Unix(u) if u.act == UnixAct::Listening && named(u)))?;
    let connected = |u: &Unix| u.act == UnixAct::Connected && u.peer == Some(scene.cast[0]) && named(u);
    scene.tells("that it is connected to", |p| matches!(p, Payload::Unix(u) if connected(u)))
}
