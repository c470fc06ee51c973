//! The tables of sockets in `/proc/PID/net`.

use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use lanner_collector_abi::TcpState;
use lanner_core::event::{File, Text, UnixName};

/// `unix_sock` flags as the table shows them: it listens.
const SO_ACCEPTCON: u32 = 1 << 16;

/// What a table tells of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    Tcp {
        local: SocketAddr,
        remote: SocketAddr,
        state: State,
    },
    /// One that listens.
    Unix {
        socket_type: u32,
        name: UnixName,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Listening,
    /// The SYN is sent.
    Trying,
    Open,
    Closed,
}

/// A table of the network namespace of a thread, at most so many bytes of it, and whether it goes on.
pub(super) fn read(pid: u32, thread: u32, name: &str, max: u64) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    // One that is not there, or is gone with its thread, is empty.
    let _ = fs::File::open(format!("/proc/{pid}/task/{thread}/net/{name}"))
        .and_then(|f| f.take(max).read_to_end(&mut bytes));
    let cut = bytes.len() as u64 == max;
    (bytes, cut)
}

/// The rows of `tcp` and `tcp6`, with the sockets' numbers. Who has none is nobody's any more.
pub(super) fn tcp(table: &[u8]) -> impl Iterator<Item = (u64, Row)> {
    table.split(|b| *b == b'\n').skip(1).filter_map(|line| {
        let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace().skip(1);
        let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
        let state = match u8::from_str_radix(fields.next()?, 16).ok()? {
            TcpState::LISTEN => State::Listening,
            TcpState::SYN_SENT => State::Trying,
            TcpState::CLOSE => State::Closed,
            _ => State::Open,
        };
        let inode: u64 = fields.nth(5)?.parse().ok()?;
        (inode != 0).then_some((inode, Row::Tcp { local, remote, state }))
    })
}

/// The rows of `unix` that listen and have a name, with their numbers. A name may contain anything, even lines that look
/// like others: what stands there twice is nobody's.
pub(super) fn unix(table: &[u8]) -> Vec<(u64, Row)> {
    let rows: Vec<(u64, Option<Row>)> = table.split(|b| *b == b'\n').skip(1).filter_map(unix_row).collect();
    let (mut once, mut again) = (HashSet::new(), HashSet::new());
    again.extend(rows.iter().map(|(inode, _)| *inode).filter(|inode| !once.insert(*inode)));
    rows.into_iter()
        .filter(|(inode, _)| !again.contains(inode))
        .filter_map(|(inode, row)| Some((inode, row?)))
        .collect()
}

fn unix_row(line: &[u8]) -> Option<(u64, Option<Row>)> {
    // Num RefCount Protocol Flags Type St Inode Path
    let mut rest = line;
    let mut fields = [""; 7];
    for field in &mut fields {
        let begun = rest.iter().position(|b| *b != b' ')?;
        let len = rest[begun..].iter().position(|b| *b == b' ').unwrap_or(rest.len() - begun);
        *field = std::str::from_utf8(&rest[begun..begun + len]).ok()?;
        rest = &rest[begun + len..];
    }
    let inode = fields[6].parse().ok()?;
    let number = |n: usize| u32::from_str_radix(fields[n], 16).ok();
    let (flags, socket_type) = (number(3)?, number(4)?);
    let name = match rest.strip_prefix(b" ").and_then(<[u8]>::split_first) {
        Some((b'@', name)) => UnixName::Abstract(Text::from(name)),
        Some(_) => UnixName::Path(File { path: Text::from(&rest[1..]), ..File::default() }),
        None => return Some((inode, None)),
    };
    Some((inode, (flags & SO_ACCEPTCON != 0).then_some(Row::Unix { socket_type, name })))
}

/// `0100007F:1F90`: each four bytes as the processor has them.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |n: usize| Some(u32::from_str_radix(address.get(n * 8..n * 8 + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (n, four) in bytes.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(n)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_endian = "little")]
    #[test]
    fn connections_are_read_with_their_numbers() {
        let table = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n   \
            1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1\n   \
            2: 0100007F:1F90 0100007F:C351 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n   \
            3: 0000000000000000FFFF00000100007F:0016 00000000000000000000000001000000:0017 02 0:0 0:0 0 0 0 4713\n junk";
        let rows: Vec<_> = tcp(table).collect();
        let row = |local: &str, remote: &str, state| Row::Tcp {
            local: local.parse().expect("an address"),
            remote: remote.parse().expect("an address"),
            state,
        };
        let expected = [
            (4711, row("127.0.0.1:8080", "0.0.0.0:0", State::Listening)),
            (4712, row("127.0.0.1:8080", "127.0.0.1:50000", State::Open)),
            (4713, row("127.0.0.1:22", "[::1]:23", State::Trying)),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn names_of_unix_sockets_may_contain_anything_but_steal_nothing() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            00000000aaaa: 00000002 00000000 00010000 0001 01    10 /run/a b.sock\n\
            00000000aaab: 00000002 00000000 00010000 0005 01 11 @abs@tract\n\
            00000000aaac: 00000003 00000000 00000000 0001 03 12 /run/connected\n\
            00000000aaad: 00000003 00000000 00000000 0001 03 13\n\
            00000000aaae: 00000002 00000000 00010000 0001 01 14 /x\n\
            00000000aaaf: 00000002 00000000 00010000 0001 01 15 /run/forged\n\
            00000000aab0: 00000002 00000000 00010000 0001 01 15 /run/real\n";
        let path = |path: &str| UnixName::Path(File { path: Text::from(path), ..File::default() });
        let expected = vec![
            (10, Row::Unix { socket_type: 1, name: path("/run/a b.sock") }),
            (11, Row::Unix { socket_type: 5, name: UnixName::Abstract(Text::from("abs@tract")) }),
            (14, Row::Unix { socket_type: 1, name: path("/x") }),
        ];
        assert_eq!(unix(table), expected);
    }

    #[test]
    fn what_is_damaged_is_left_out() {
        assert_eq!(tcp(b"x\n0: 1:2 3:4 ZZ\n0: 0100007F 0:0\n\xff\xfe").count(), 0);
        assert_eq!(unix(b"x\n   \n1 2 3\n1: 1 1 1 1 1 z /x\n"), []);
    }
}
