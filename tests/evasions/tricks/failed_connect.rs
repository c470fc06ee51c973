use std::io;
use std::net::{TcpListener, TcpStream};

use crate::scene::Scene;
use crate::trick::Trick;
use lanner_core::event::{Attempt, Connect};

pub(crate) const TRICK: Trick = Trick {
    name: "failed_connect",
    idea: "a port that answers with a refusal: knocking, or a server that is down",
    shows: "the attempt, and that it was refused",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    // Of two ends of a connection, the one that called has a port to itself, and listens to nobody there.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let called = TcpStream::connect(listener.local_addr()?)?;
    match TcpStream::connect(called.local_addr()?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        other => Err(io::Error::other(format!("it was to be refused: {other:?}"))),
    }
}

fn seen(scene: &Scene) -> Result<(), String> {
    let refused = |c: &Connect| c.attempt == Attempt::Failed(libc::ECONNREFUSED as u32);
    scene.connects().any(refused).then_some(()).ok_or_else(|| "a refusal".to_owned())
}
