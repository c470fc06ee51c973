//! Reading.

use std::io::{self, Read};

use lanner_core::event::{Batch, Loss, LossCause};
use lanner_proto::v1;
use prost::Message;
use v1::recording_item::Item;

use crate::blocks::Blocks;
use crate::foreign::{SNIFF, looks_like};
use crate::report::Trouble;
use crate::{Header, MAGIC, Report, VERSION};

/// Nothing of a file can be read as a recording.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is something else: what it looks like.
    #[error("this is not a Lanner recording: it looks like {0}")]
    Foreign(&'static str),
    /// It ends before it says anything.
    #[error("the recording is cut short within its first {} bytes: nothing of it is left", MAGIC.len() + 4)]
    Stump,
    /// A newer version of Lanner wrote it, in a format that this one does not know.
    #[error(
        "the recording is in format {0}, and this version of Lanner reads formats up to {VERSION}: use a newer one"
    )]
    Future(u32),
    /// It could not be read at all.
    #[error("cannot read the recording: {0}")]
    Io(#[from] io::Error),
}

/// Reads a recording: an iterator of its batches, from a file or a pipe. Of a damaged one it delivers what is readable;
/// where events are missing before a batch, the batch says how many ([`LossCause::Recording`]).
pub struct Reader<R: Read> {
    blocks: Blocks<R>,
    /// The block being read, and how much of it is done.
    block: Vec<u8>,
    done: usize,
    header: Header,
    /// The first batch, when reading ahead for the header found it.
    ahead: Option<Batch>,
    trouble: Trouble,
    batches: u64,
    events: u64,
    /// The next event's number, if nothing is missing.
    expected: Option<u64>,
    /// Something was skipped since the last batch.
    damaged: bool,
    ended: bool,
}

impl<R: Read> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("header", &self.header).field("report", &self.report()).finish_non_exhaustive()
    }
}

/// What comes next.
enum Next {
    Header(Header),
    Batch(Batch),
    End,
}

impl<R: Read> Reader<R> {
    /// Opens a recording and reads its header.
    ///
    /// # Errors
    /// It is no recording, or one that this version cannot read. A damaged one is no error: see [`Reader::report`].
    pub fn new(input: R) -> Result<Self, OpenError> {
        let mut blocks = Blocks::new(input)?;
        let start = blocks.peek(MAGIC.len() + 4).to_vec();
        if let Some(error) = blocks.failed.take() {
            return Err(OpenError::Io(error));
        }
        let Some(version) = start.strip_prefix(&MAGIC) else {
            if !start.is_empty() && MAGIC.starts_with(&start) {
                return Err(OpenError::Stump);
            }
            return Err(OpenError::Foreign(looks_like(blocks.peek(SNIFF))));
        };
        let version = version.try_into().map(u32::from_le_bytes).map_err(|_| OpenError::Stump)?;
        if version > VERSION {
            return Err(OpenError::Future(version));
        }
        blocks.consume(start.len());
        let mut reader = Reader {
            blocks,
            block: Vec::new(),
            done: 0,
            header: Header::default(),
            ahead: None,
            trouble: Trouble::default(),
            batches: 0,
            events: 0,
            expected: None,
            damaged: false,
            ended: false,
        };
        match reader.advance() {
            Next::Header(header) => reader.header = header,
            Next::Batch(batch) => {
                reader.trouble.no_header = true;
                reader.ahead = Some(batch);
            }
            Next::End => reader.trouble.no_header = true,
        }
        Ok(reader)
    }

    /// What the recording says of itself; empty when that part is damaged.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How much could be read; complete once the iterator has ended.
    pub fn report(&self) -> Report {
        Report {
            batches: self.batches,
            events: self.events,
            unreadable_bytes: self.trouble.unreadable(),
            problem: self.trouble.words(),
        }
    }

    fn advance(&mut self) -> Next {
        while !self.ended {
            if self.done < self.block.len() {
                if let Some(next) = self.item() {
                    return next;
                }
            } else if self.blocks.next_into(&mut self.block) {
                self.done = 0;
                let skipped = self.blocks.take_skipped();
                self.skip(skipped);
            } else {
                self.ended = true;
                self.trouble.tail = self.blocks.take_skipped();
                self.trouble.no_end = true;
                self.trouble.gave_up = self.blocks.gave_up();
                self.trouble.io = self.blocks.failed.take().map(|e| e.to_string());
            }
        }
        Next::End
    }

    /// The next item of the block; `None` when it holds nothing for the caller.
    fn item(&mut self) -> Option<Next> {
        let mut rest = &self.block[self.done..];
        let before = rest.len();
        let Ok(item) = v1::RecordingItem::decode_length_delimited(&mut rest) else {
            // The checksum was right: whoever wrote this did not write our messages. There is no way to tell where the
            // next one would begin.
            self.done = self.block.len();
            self.skip(before as u64);
            return None;
        };
        self.done += before - rest.len();
        match item.item {
            Some(Item::Header(header)) => Some(Next::Header(header.into())),
            Some(Item::Batch(batch)) => Some(Next::Batch(self.account(batch.into()))),
            Some(Item::End(end)) => {
                self.trouble.missing = end.events.saturating_sub(self.events);
                self.ended = true;
                self.blocks.skip_rest();
                self.trouble.beyond = self.blocks.take_skipped() + (self.block.len() - self.done) as u64;
                None
            }
            None => {
                self.trouble.unknown += 1;
                None
            }
        }
    }

    fn skip(&mut self, bytes: u64) {
        if bytes > 0 {
            self.trouble.skipped += bytes;
            self.trouble.places += 1;
            self.damaged = true;
        }
    }

    /// Says in the batch how many events are missing before it.
    fn account(&mut self, mut batch: Batch) -> Batch {
        let damaged = std::mem::take(&mut self.damaged);
        self.events += batch.events.len() as u64;
        if batch.snapshot || batch.first_seq == 0 {
            return batch;
        }
        let missing = batch.first_seq.saturating_sub(self.expected.unwrap_or(batch.first_seq));
        if damaged && missing > 0 {
            batch.losses.push(Loss { cause: LossCause::Recording, count: missing });
        }
        let after = batch.events.last().map_or(0, |event| event.header.seq.saturating_add(1));
        self.expected = Some(batch.first_seq.max(after));
        batch
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut next = self.ahead.take().map_or_else(|| self.advance(), Next::Batch);
        // A second header says nothing new.
        while let Next::Header(_) = next {
            next = self.advance();
        }
        let Next::Batch(batch) = next else { return None };
        self.batches += 1;
        Some(batch)
    }
}
