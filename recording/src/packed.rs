//! Events in memory, as small as in a recording: a thirtieth of what they take otherwise.

use std::io;

use lanner_core::event::Event;
use lanner_proto::v1;
use prost::Message;

/// zstd's level: little work, for it is done for every event.
const LEVEL: i32 = 1;

/// Packs events, a block at a time.
pub struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    /// The block before compression.
    plain: Vec<u8>,
}

/// A block of events.
#[derive(Debug, Clone)]
pub struct Packed {
    frame: Box<[u8]>,
    /// Bytes before compression.
    plain: usize,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// One that has packed nothing yet.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new() -> io::Result<Packer> {
        Ok(Packer { compressor: zstd::bulk::Compressor::new(LEVEL)?, plain: Vec::new() })
    }

    /// Packs events into one block.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn pack<'e>(&mut self, events: impl IntoIterator<Item = &'e Event>) -> io::Result<Packed> {
        self.plain.clear();
        for event in events {
            v1::Event::from(event).encode_length_delimited(&mut self.plain).map_err(io::Error::other)?;
        }
        let frame = self.compressor.compress(&self.plain)?.into_boxed_slice();
        let packed = Packed { frame, plain: self.plain.len() };
        // One that was very large is no reason to keep as much for all that follow.
        self.plain.shrink_to(1 << 20);
        Ok(packed)
    }
}

impl Packed {
    /// How many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.frame.len() + size_of::<Packed>()
    }

    /// The events, in their order.
    ///
    /// # Errors
    /// There is no memory for them.
    pub fn unpack(&self) -> io::Result<Vec<Event>> {
        let plain = zstd::bulk::decompress(&self.frame, self.plain)?;
        let mut rest = plain.as_slice();
        let mut events = Vec::new();
        while !rest.is_empty() {
            let event = v1::Event::decode_length_delimited(&mut rest).map_err(io::Error::other)?;
            events.push(event.try_into().map_err(io::Error::other)?);
        }
        Ok(events)
    }
}
