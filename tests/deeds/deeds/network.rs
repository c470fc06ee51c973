//! Connections and sockets, in networks of their own.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use crate::deed::{Deed, Within};
use crate::place;
use crate::sys;

/// Calls an address, where nobody need answer.
pub(crate) fn call(address: &str) -> io::Result<()> {
    match TcpStream::connect(address) {
        Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(()),
    }
}

/// Asks a name server of its own for a name, whose address is loopback's second, and calls that.
fn call_by_name(name: &str) -> io::Result<()> {
    place::own_network(None)?;
    let server = UdpSocket::bind("127.0.0.1:53")?;
    let answers = thread::spawn(move || {
        let mut question = [0; 512];
        let (len, from) = server.recv_from(&mut question)?;
        // An answer to the very question: flags, one record that points to the name, its type, class, time and address.
        let mut answer = question[..len].to_vec();
        answer[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2]);
        server.send_to(&answer, from)
    });
    let mut question = vec![0x1d, 0xea, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(label.len() as u8);
        question.extend(label.bytes());
    }
    question.extend([0, 0, 1, 0, 1]);
    let client = UdpSocket::bind("127.0.0.1:0")?;
    client.send_to(&question, "127.0.0.1:53")?;
    client.recv_from(&mut [0; 512])?;
    answers.join().map_err(|_| io::Error::other("the name server failed"))??;
    call("127.0.0.2:443")
}

pub(crate) static CLUSTER: Deed = Deed {
    name: "calls the cluster",
    falco: "Contact K8S API Server From Container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || call_by_name("kubernetes.default.svc.cluster.local"),
    nearly: || call_by_name("web.default.svc.cluster.local"),
    ..Deed::PLAIN
};

fn raw_socket(domain: i32) -> io::Result<()> {
    // Protocol 0 of packet sockets hears nothing.
    let protocol = if domain == libc::AF_PACKET { 0 } else { libc::IPPROTO_ICMP };
    sys::open(libc::SYS_socket, &[domain as usize, libc::SOCK_RAW as usize, protocol as usize]).map(drop)
}

pub(crate) static PACKETS: Deed = Deed {
    name: "listens to the wire",
    falco: "Packet socket created in container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || raw_socket(libc::AF_PACKET),
    nearly: || raw_socket(libc::AF_INET),
    ..Deed::PLAIN
};

/// Puts a connection in the place of a descriptor.
fn socket_as(fd: i32) -> io::Result<()> {
    place::own_network(None)?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    sys::apart(|| sys::call(libc::SYS_dup3, &[stream.as_raw_fd() as usize, fd as usize, 0]).map(drop))
}

pub(crate) static SHELL_ON_SOCKET: Deed = Deed {
    name: "speaks through a connection",
    falco: "Redirect STDOUT/STDIN to Network Connection in Container",
    within: Within::Container,
    nearly_within: Within::Container,
    it: || socket_as(libc::STDOUT_FILENO),
    nearly: || socket_as(17),
    ..Deed::PLAIN
};

/// Calls an address of the networks that documents may use (RFC 5737), as a program of this name.
fn ssh_to(port: u16) -> io::Result<()> {
    place::own_network(Some([198, 51, 100, 7]))?;
    let folder = tempfile::tempdir()?;
    let ssh = folder.path().join("ssh");
    fs::copy(std::env::current_exe()?, &ssh)?;
    sys::apart(|| Err(Command::new(&ssh).arg0("ssh").args(["call", &format!("198.51.100.7:{port}")]).exec()))
}

pub(crate) static ODD_PORT: Deed = Deed {
    name: "secure shell to an odd port",
    falco: "Disallowed SSH Connection Non Standard Port",
    it: || ssh_to(443),
    nearly: || ssh_to(22),
    ..Deed::PLAIN
};
