//! Records of code that is given to the kernel to run.

use crate::{FileFacts, Header, plain};

/// A kernel module, or another kernel, was loaded or unloaded. Tail: the file's path, the second file's path, and the
/// name or parameters as the caller wrote them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelRecord {
    /// When and who.
    pub header: Header,
    /// The number of the system call.
    pub call: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
    /// The call's flags.
    pub flags: u64,
    /// Bytes of the image, when it came from memory.
    pub size: u64,
    /// The module's or the kernel's file.
    pub file: FileFacts,
    /// The initial ram disk's file.
    pub second: FileFacts,
    /// Bytes of the words in the tail.
    pub words_len: u32,
    /// Zero.
    pub zero: u32,
}

/// A BPF program was loaded or attached, or a map was made. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BpfRecord {
    /// When and who.
    pub header: Header,
    /// bpf's first argument.
    pub command: u32,
    /// Why it failed; 0: it did not.
    pub errno: u32,
    /// The type of the program, or of the map.
    pub object_type: u32,
    /// The type of attachment, of the program or of the call.
    pub attach_type: u32,
    /// The program's or the map's id; 0 when unknown.
    pub id: u32,
    /// The program's instructions, or the most entries of the map.
    pub size: u32,
    /// Its name, zeros after it.
    pub name: [u8; 16],
}

plain!(KernelRecord = 120, BpfRecord = 80);
