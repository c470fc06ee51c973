//! Runs the iterators: programs that the kernel calls for everything it has of some kind, when asked.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use aya::Ebpf;
use aya::maps::Map;
use aya::programs::Iter;

use super::hooks::words;

/// As many bytes as the longest record may have: the kernel hands out whole records.
const CHUNK: usize = 64 * 1024;

/// `enum bpf_cmd`, `enum bpf_attach_type`.
const BPF_LINK_CREATE: libc::c_long = 28;
const BPF_ITER_CREATE: libc::c_long = 33;
const BPF_TRACE_ITER: u32 = 28;

/// `union bpf_attr`, as `BPF_LINK_CREATE` takes it for an iterator.
#[repr(C)]
struct LinkCreate {
    program: u32,
    target: u32,
    attach_type: u32,
    flags: u32,
    info: u64,
    info_len: u32,
    zero: u32,
}

/// `union bpf_attr`, as `BPF_ITER_CREATE` takes it.
#[repr(C)]
struct IterCreate {
    link: u32,
    flags: u32,
}

/// Runs an iterator over tasks or files to its end and returns what it wrote.
pub(super) fn all(ebpf: &mut Ebpf, program: &str) -> Result<Vec<u8>, String> {
    let program: &mut Iter =
        ebpf.program_mut(program).ok_or("the object has no such program")?.try_into().map_err(words)?;
    let id = program.attach().map_err(words)?;
    let link = program.take_link(id).map_err(words)?;
    read(link.into_file().map_err(|e| e.to_string())?).map_err(|e| e.to_string())
}

/// Runs an iterator over the elements of a hash map to its end.
pub(super) fn elements(ebpf: &mut Ebpf, program: &str, map: &str) -> Result<(), String> {
    let map = match ebpf.map(map).ok_or("the object has no such map")? {
        Map::HashMap(data) => data.fd().as_fd().as_raw_fd(),
        _ => return Err("the map is of another kind".to_owned()),
    };
    let program: &Iter = ebpf.program(program).ok_or("the object has no such program")?.try_into().map_err(words)?;
    let program = program.fd().map_err(words)?.as_fd().as_raw_fd();
    over(program, map).and_then(read).map(drop).map_err(|e| e.to_string())
}

/// What aya has no call for: an iterator that is told which map.
fn over(program: RawFd, map: RawFd) -> io::Result<File> {
    // `union bpf_iter_link_info`.
    let map = u32::try_from(map).map_err(io::Error::other)?;
    let attr = LinkCreate {
        program: u32::try_from(program).map_err(io::Error::other)?,
        target: 0,
        attach_type: BPF_TRACE_ITER,
        flags: 0,
        info: std::ptr::from_ref(&map) as u64,
        info_len: size_of::<u32>() as u32,
        zero: 0,
    };
    let link = bpf(BPF_LINK_CREATE, &attr)?;
    let attr = IterCreate { link: u32::try_from(link.as_raw_fd()).map_err(io::Error::other)?, flags: 0 };
    bpf(BPF_ITER_CREATE, &attr).map(File::from)
}

fn bpf<T>(command: libc::c_long, attr: &T) -> io::Result<OwnedFd> {
    // SAFETY: the pointer is to a live value of the size given, laid out as this command takes it; what it points to
    // lives as long.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<T>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    // SAFETY: both commands return a new descriptor, owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn read(mut file: File) -> io::Result<Vec<u8>> {
    let mut stream = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(stream),
            n => stream.extend_from_slice(&chunk[..n]),
        }
    }
}
