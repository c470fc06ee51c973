//! Records of io_uring.

use crate::{FileFacts, Header, plain};

/// A ring is made. No tail.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UringSetupRecord {
    /// When and who.
    pub header: Header,
    /// The descriptor.
    pub fd: i32,
    /// How many operations may wait.
    pub entries: u32,
    /// `IORING_SETUP_*`.
    pub flags: u32,
    /// Zero.
    pub zero: u32,
}

/// An operation is asked for. Tail: the path of the folder that the name counts from, the name, the path of the folder
/// that the second name counts from, the second name, or that of an extended attribute.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UringOpRecord {
    /// When and who.
    pub header: Header,
    /// What the first name counts from, or the file that it is about; zeros when there is neither, or it is not known.
    pub dir: FileFacts,
    /// The same of the second name.
    pub second_dir: FileFacts,
    /// `IORING_OP_*`.
    pub operation: u32,
    /// Bytes of the name in the tail, with its NUL; 0: none.
    pub name_len: u16,
    /// Bytes of the second name.
    pub second_len: u16,
}

plain!(UringSetupRecord = 56, UringOpRecord = 96);
