//! Where standard input, output and error lead: a shell whose input is a socket is what a responder looks for.

use aya_ebpf::helpers::generated;
use lanner_collector_abi::{AF_INET, AF_INET6, StdioFacts, StdioTag};

use crate::files::{self, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK};
use crate::kernel::{sock, task_struct};

const IPPROTO_TCP: u16 = 6;
const IPPROTO_UDP: u16 = 17;
/// Bits of the minor number in the kernel's `dev_t`.
const MINOR_BITS: u32 = 20;

/// Fills in all three.
#[inline(always)]
pub fn describe(task: task_struct, all: &mut [StdioFacts; 3]) {
    one(&task, 0, &mut all[0]);
    one(&task, 1, &mut all[1]);
    one(&task, 2, &mut all[2]);
}

/// Fills in one of them.
#[inline(never)]
pub fn one(task: &task_struct, fd: u32, facts: &mut StdioFacts) {
    facts.ino = 0;
    facts.has_peer = 0;
    facts.port = 0;
    facts.family = 0;
    facts.addr = [0; 16];
    let file = files::by_fd(*task, fd);
    if file.is_null() {
        facts.tag = if task.files().is_null() { StdioTag::UNKNOWN } else { StdioTag::CLOSED };
        return;
    }
    let inode = file.f_inode();
    facts.ino = inode.ino();
    facts.tag = match inode.mode() & S_IFMT {
        S_IFREG => StdioTag::FILE,
        S_IFDIR => StdioTag::DIRECTORY,
        S_IFIFO => StdioTag::PIPE,
        S_IFSOCK => {
            peer(file.private_data().sk(), facts);
            StdioTag::SOCKET
        }
        S_IFCHR if is_terminal(inode.rdev()) => StdioTag::TERMINAL,
        S_IFCHR | S_IFBLK => StdioTag::DEVICE,
        _ => StdioTag::UNKNOWN,
    };
}

/// Virtual consoles and serial lines (4), `/dev/tty` and the console (5), pseudo-terminals (136 to 143).
#[inline(always)]
fn is_terminal(rdev: u32) -> bool {
    matches!(rdev >> MINOR_BITS, 4 | 5 | 136..=143)
}

#[inline(always)]
fn peer(sk: sock, facts: &mut StdioFacts) {
    let family = sk.family();
    let port = u16::from_be(sk.remote_port());
    let protocol = sk.protocol();
    if (family != AF_INET && family != AF_INET6) || !matches!(protocol, IPPROTO_TCP | IPPROTO_UDP) || port == 0 {
        return;
    }
    facts.family = u32::from(family);
    facts.port = port;
    facts.has_peer = 1;
    if family == AF_INET {
        facts.addr[..4].copy_from_slice(&sk.remote4().to_ne_bytes());
    } else {
        // SAFETY: 16 bytes are there; the kernel checks the source.
        unsafe {
            generated::bpf_probe_read_kernel(facts.addr.as_mut_ptr().cast(), 16, sk.remote6().address as *const _)
        };
    }
}
