//! What user space tells the programs, and what they count.

use crate::plain;

/// More than the highest number of a 32-bit system call.
pub const COMPAT_CALLS: u32 = 512;

/// Settings, a read-only global of the object.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Wake the reader when this many bytes wait in the ring. Below, it comes by its own clock.
    pub wake_mark: u64,
    /// Bit `n` is set when some [`Watched`] name has `n` bytes.
    pub watched_lengths: u64,
    /// Nanoseconds that a connection must have lived before its traffic is told of.
    pub traffic_age: u64,
    /// The collector itself, whose own programs are no news: its pid in its pid namespace.
    pub own_pid: u32,
    /// That namespace's inode number.
    pub own_pid_ns: u32,
    /// How many variables of the environment are asked for.
    pub variables: u64,
}

/// The beginning of `NAME=` of a variable that is asked for: its first eight bytes, the first one lowest; of a shorter
/// one all bytes up to the `=` and zeros. Variables that begin so leave the kernel; the whole name is compared later.
pub type Variable = u64;

/// A name worth an event when a file of this name, or under a directory of it, is opened for reading: up to 32 bytes,
/// filled up with zeros.
pub type Watched = [u8; 32];

/// Where the kernel keeps the names that it has met: its hash table of dentries.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameCache {
    /// The table's address; 0: not known.
    pub table: u64,
    /// A name's place in the table is its hash shifted right by so many bits.
    pub shift: u64,
}

/// A name that the kernel has met, and where it is linked from.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameSample {
    /// `d_name.hash`.
    pub hash: u64,
    /// `d_hash.pprev`: for the first name of its bucket, the bucket's place in the table.
    pub linked_from: u64,
}

/// Why a record did not get into the ring: an index into the per-CPU counters.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// The ring was full.
    RingFull = 0,
    /// A map that holds context was full.
    MapFull = 1,
}

impl Drop {
    /// How many causes there are.
    pub const COUNT: u32 = 2;
}

plain!(Config = 40, NameCache = 16, NameSample = 16);
