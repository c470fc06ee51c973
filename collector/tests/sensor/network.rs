//! Networks of the tests' own, and sockets as bare as the kernel has them.

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

/// Runs `with` on a thread in a network namespace of its own with nothing but a loopback interface; it is given the
/// namespace's number. `None`, and a word why, where `ip` is missing.
pub(crate) fn in_own_network<T: Send>(with: impl FnOnce(u32) -> T + Send) -> Option<T> {
    if Command::new("ip").arg("-V").output().is_err() {
        lanner_tests::not_run("there is no `ip` command");
        return None;
    }
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            // SAFETY: no pointers; this thread alone moves.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "{}", io::Error::last_os_error());
            ip("link set lo up");
            with(super::stage::namespace("thread-self", "net"))
        });
        Some(inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// `ip ARGUMENTS`, in the network of this thread.
pub(crate) fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip runs");
    assert!(status.success(), "ip {arguments}");
}

/// A new socket.
pub(crate) fn socket(domain: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    // SAFETY: just made, and owned by nobody else.
    if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(unsafe { OwnedFd::from_raw_fd(fd) }) }
}

/// A TCP socket over IPv4.
pub(crate) fn tcp() -> OwnedFd {
    socket(libc::AF_INET, libc::SOCK_STREAM, 0).expect("a socket")
}

pub(crate) fn sockaddr(to: SocketAddr) -> libc::sockaddr_in {
    let SocketAddr::V4(to) = to else { panic!("IPv4: {to}") };
    libc::sockaddr_in {
        sin_family: libc::AF_INET as u16,
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    }
}

/// What connect says: 0 or the errno.
pub(crate) fn connect(socket: &OwnedFd, to: SocketAddr) -> i32 {
    result(with_address(socket, to, libc::connect))
}

/// What sendto says that is to connect with its first packet: 0 or the errno.
pub(crate) fn send_to(socket: &OwnedFd, data: &[u8], to: SocketAddr) -> i32 {
    let address = sockaddr(to);
    // SAFETY: both pointers are to live values of the sizes given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            data.as_ptr().cast(),
            data.len(),
            libc::MSG_FASTOPEN,
            (&raw const address).cast(),
            size_of_val(&address) as u32,
        )
    };
    result(if sent < 0 { -1 } else { 0 })
}

/// What bind says: 0 or the errno.
pub(crate) fn bind(socket: &OwnedFd, to: SocketAddr) -> i32 {
    result(with_address(socket, to, libc::bind))
}

fn with_address(
    socket: &OwnedFd,
    to: SocketAddr,
    call: unsafe extern "C" fn(i32, *const libc::sockaddr, libc::socklen_t) -> i32,
) -> i32 {
    let address = sockaddr(to);
    // SAFETY: the pointer is to a live address of the size given.
    unsafe { call(socket.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32) }
}

fn result(of: i32) -> i32 {
    if of < 0 { io::Error::last_os_error().raw_os_error().expect("an errno") } else { 0 }
}

/// Sets an option that is a number.
pub(crate) fn set(socket: &impl AsRawFd, level: i32, option: i32, value: i32) {
    set_to(socket, level, option, &value);
}

fn set_to<T>(socket: &impl AsRawFd, level: i32, option: i32, value: &T) {
    // SAFETY: the pointer is to a live value of the size given.
    let set = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), size_of::<T>() as u32)
    };
    assert_eq!(set, 0, "option {option}: {}", io::Error::last_os_error());
}

/// Closing the socket will reset its connection.
pub(crate) fn reset_on_close(socket: &impl AsRawFd) {
    set_to(socket, libc::SOL_SOCKET, libc::SO_LINGER, &libc::linger { l_onoff: 1, l_linger: 0 });
}

/// From now on the socket takes no packet: a filter of one instruction turns all away.
pub(crate) fn drop_all(socket: &impl AsRawFd) {
    let mut nothing = libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: 0 };
    let filter = libc::sock_fprog { len: 1, filter: &raw mut nothing };
    set_to(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter);
}

/// Waits until all that was sent is acknowledged, which the other end may put off for a while.
pub(crate) fn until_acknowledged(socket: &impl AsRawFd) {
    loop {
        let mut unanswered = 0;
        // SAFETY: the pointer is to a live number. `SIOCOUTQ` is this to sockets.
        assert_eq!(unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unanswered) }, 0);
        if unanswered == 0 {
            return;
        }
        std::thread::yield_now();
    }
}

/// How long what was sent may remain without an answer.
pub(crate) fn give_up_after(socket: &impl AsRawFd, time: Duration) {
    let time = i32::try_from(time.as_millis()).expect("a short time");
    set(socket, libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, time);
}

/// An address in the loopback network or one of the tests' own.
pub(crate) fn address(ip: [u8; 4], port: u16) -> SocketAddr {
    SocketAddrV4::new(ip.into(), port).into()
}

/// Of so many things that the clock brings about, at moments of their own, one at least is told also where the kernel hides
/// what comes while a process of its makers' choosing runs (docs/events.md, "Under load").
pub(crate) const TRIES: u8 = 4;

/// A moment between two of them.
pub(crate) fn apart() {
    std::thread::park_timeout(Duration::from_millis(15));
}

/// Calls of this socket do not wait.
pub(crate) fn never_waits(socket: &impl AsRawFd) {
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
}

/// 10.77.9.2 has an address on the wire, but nobody is there; 10.77.9.3 and those after it have not even that.
pub(crate) fn silent_neighbour() {
    ip("link add v0 type veth peer name v1");
    ip("addr add 10.77.9.1/24 dev v0");
    ip("link set v0 up");
    ip("link set v1 up");
    ip("neigh add 10.77.9.2 lladdr 02:00:00:00:00:01 dev v0 nud permanent");
}
