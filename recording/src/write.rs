//! Writing.

use std::io::{self, Write};

use lanner_core::event::Batch;
use lanner_proto::{chunk, v1};
use prost::Message;
use v1::recording_item::Item;

use crate::{Header, MAGIC, VERSION};

/// How blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A block is written when it holds this many bytes, before compression. At most 1 MiB.
    block: usize,
    /// zstd's level.
    level: i32,
}

impl Options {
    /// For recording what happens: little work, and little to lose when cut.
    pub const LIVE: Options = Options { block: 64 << 10, level: 3 };
    /// For keeping what was recorded: as small as can be, while damage to one part still spares the others.
    pub const COMPACT: Options = Options { block: 64 << 10, level: 19 };
}

/// The recording could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the recording: {source}; the {saved} events before are safe in it")]
pub struct WriteError {
    /// Events in the blocks that were written whole.
    pub saved: u64,
    /// What the system says.
    pub source: io::Error,
}

/// Writes a recording. Dropping it without [`Writer::finish`] leaves a recording that lacks its last block and its end.
pub struct Writer<W: Write> {
    out: W,
    options: Options,
    compressor: zstd::bulk::Compressor<'static>,
    /// The block that grows.
    block: Vec<u8>,
    batches: u64,
    events: u64,
    saved: u64,
}

impl<W: Write> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("batches", &self.batches).field("events", &self.events).finish_non_exhaustive()
    }
}

impl<W: Write> Writer<W> {
    /// Begins a recording: writes its header at once.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn new(out: W, header: &Header, options: Options) -> Result<Self, WriteError> {
        let unwritten = |source| WriteError { saved: 0, source };
        let mut writer = Writer {
            out,
            options,
            compressor: zstd::bulk::Compressor::new(options.level).map_err(unwritten)?,
            block: Vec::new(),
            batches: 0,
            events: 0,
            saved: 0,
        };
        writer.out.write_all(&MAGIC).map_err(unwritten)?;
        writer.out.write_all(&VERSION.to_le_bytes()).map_err(unwritten)?;
        writer.add(Item::Header(header.into()))?;
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a batch. It is in the file after the next [`Writer::flush`], or when its block is full.
    ///
    /// # Errors
    /// A block was full and could not be written.
    pub fn write(&mut self, batch: &Batch) -> Result<(), WriteError> {
        for chunk in chunk::chunks(batch, self.options.block) {
            let events = chunk.events.len() as u64;
            self.add(Item::Batch(chunk))?;
            self.batches += 1;
            self.events += events;
        }
        Ok(())
    }

    fn add(&mut self, item: Item) -> Result<(), WriteError> {
        let item = v1::RecordingItem { item: Some(item) };
        if !self.block.is_empty() && self.block.len() + item.encoded_len() > self.options.block {
            self.end_block()?;
        }
        // A Vec grows: it is never too small.
        item.encode_length_delimited(&mut self.block).expect("a Vec has room");
        Ok(())
    }

    /// Writes what was added so far, so that it stays whatever happens.
    ///
    /// # Errors
    /// The block could not be written; those before it are safe.
    pub fn flush(&mut self) -> Result<(), WriteError> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        self.out.flush().map_err(|source| WriteError { saved: self.saved, source })
    }

    fn end_block(&mut self) -> Result<(), WriteError> {
        self.write_block().map_err(|source| WriteError { saved: self.saved, source })?;
        self.saved = self.events;
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        let frame = self.compressor.compress(&self.block)?;
        self.block.clear();
        let len = u32::try_from(frame.len()).expect("a frame is at most MAX_FRAME bytes");
        self.out.write_all(&len.to_le_bytes())?;
        self.out.write_all(&crc32fast::hash(&frame).to_le_bytes())?;
        self.out.write_all(&frame)
    }

    /// Ends the recording, so that a reader knows that it is complete.
    ///
    /// # Errors
    /// The last block could not be written; those before it are safe.
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.add(Item::End(v1::RecordingEnd { batches: self.batches, events: self.events }))?;
        self.flush()?;
        Ok(self.out)
    }

    /// Events added so far.
    pub fn events(&self) -> u64 {
        self.events
    }
}
