//! Recordings: a node's events in a file, to be seen again, shared and tested. The same recording gives the same graph
//! and the same incidents, byte for byte.
//!
//! - [`Writer`] loses at most what came after the last [`Writer::flush`] when it is cut off, whatever the reason.
//! - [`LiveWriter`] is one that flushes in time, and [`create`] makes its file.
//! - [`Reader`] delivers whatever is readable of a damaged recording, and its [`Report`] says how much was not.
//! - [`Packer`] makes events as small in memory.
//! - [`Stretcher`] lengthens silent gaps, and the [`Header`] says so.
//!
//! # Format, version 1
//!
//! All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic: `\x89LANNER\n` |
//! | 4 | version of the format: 1 |
//! | then any number of blocks: | |
//! | 4 | length of the frame |
//! | 4 | CRC-32 (IEEE) of the frame |
//! | length | a zstd frame |
//!
//! A frame holds `lanner.v1.RecordingItem` messages, each after its length (a varint): in the first block a header, then
//! batches, and at the very end an `end` that says how many there were. Blocks stand alone: one that is damaged costs
//! its own content and nothing else.
#![forbid(unsafe_code)]

mod blocks;
mod foreign;
mod header;
mod live;
mod packed;
mod read;
mod report;
mod stretch;
mod write;

pub use header::{Header, Stretch};
pub use live::{LiveWriter, create};
pub use packed::{Packed, Packer};
pub use read::{OpenError, Reader};
pub use report::Report;
pub use stretch::Stretcher;
pub use write::{Options, WriteError, Writer};

/// The first bytes: one that is not ASCII and a line feed show transfers that damage binary data.
const MAGIC: [u8; 8] = *b"\x89LANNER\n";
/// The version of the format that this crate writes, and the latest that it reads.
pub const VERSION: u32 = 1;
/// The most that a block may hold, in bytes, decompressed.
const MAX_BLOCK: usize = 2 << 20;
/// The longest frame: what zstd makes of [`MAX_BLOCK`] incompressible bytes is a little longer than they are.
const MAX_FRAME: usize = MAX_BLOCK + (16 << 10);
/// Length and checksum, in bytes.
const BLOCK_HEAD: usize = 8;
