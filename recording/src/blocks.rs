//! The blocks of a file of which any byte may be wrong.

use std::io::{self, Read};

use crate::{BLOCK_HEAD, MAX_BLOCK, MAX_FRAME};

/// How zstd frames begin (RFC 8878): where to look for a block after damage.
const FRAME_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const HEAD: usize = BLOCK_HEAD + FRAME_MAGIC.len();
/// How many bytes may be checksummed in vain, so that a hostile file that is full of false beginnings is soon done.
const MAX_VAIN: u64 = 256 << 20;

/// Finds blocks, and says what it had to skip.
pub(crate) struct Blocks<R> {
    input: R,
    /// Bytes that were read, of which those before `at` are done with.
    window: Vec<u8>,
    at: usize,
    /// Bytes that belong to no readable block.
    skipped: u64,
    vain: u64,
    /// The input is at its end, or failed.
    ended: bool,
    /// Why reading stopped, when that was not the end of the input.
    pub(crate) failed: Option<io::Error>,
    decompressor: zstd::bulk::Decompressor<'static>,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(input: R) -> io::Result<Self> {
        Ok(Blocks {
            input,
            window: Vec::new(),
            at: 0,
            skipped: 0,
            vain: 0,
            ended: false,
            failed: None,
            decompressor: zstd::bulk::Decompressor::new()?,
        })
    }

    /// The next `n` bytes, or as many as there are; they stay.
    pub(crate) fn peek(&mut self, n: usize) -> &[u8] {
        if self.at > MAX_FRAME {
            self.window.drain(..self.at);
            self.at = 0;
        }
        while self.window.len() - self.at < n && !self.ended {
            let have = self.window.len();
            let want = n - (have - self.at);
            self.window.resize(have + want, 0);
            let got = loop {
                match self.input.read(&mut self.window[have..]) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            let got = got.unwrap_or_else(|e| {
                self.failed = Some(e);
                0
            });
            self.window.truncate(have + got);
            self.ended = got == 0;
        }
        &self.window[self.at..self.window.len().min(self.at + n)]
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.at += n;
    }

    /// The content of the next readable block into `content`; false when there is none.
    pub(crate) fn next_into(&mut self, content: &mut Vec<u8>) -> bool {
        loop {
            if self.peek(HEAD).len() < HEAD || self.vain > MAX_VAIN {
                self.skip_rest();
                return false;
            }
            match self.frame_len() {
                Some(len) => {
                    let frame = &self.window[self.at + BLOCK_HEAD..self.at + BLOCK_HEAD + len];
                    content.clear();
                    content.reserve(MAX_BLOCK);
                    // Fails when the content would be larger than the room there is.
                    let read = self.decompressor.decompress_to_buffer(frame, content);
                    self.consume(BLOCK_HEAD + len);
                    if read.is_ok() {
                        return true;
                    }
                    self.skipped += (BLOCK_HEAD + len) as u64;
                }
                None => self.skip_to_frame(),
            }
        }
    }

    /// The length of the frame of a block that begins here and is whole and sound.
    fn frame_len(&mut self) -> Option<usize> {
        let head = self.peek(HEAD);
        let (len, rest) = head.split_first_chunk()?;
        let (crc, magic) = rest.split_first_chunk()?;
        let (len, crc) = (u32::from_le_bytes(*len) as usize, u32::from_le_bytes(*crc));
        if magic != FRAME_MAGIC || len < FRAME_MAGIC.len() || len > MAX_FRAME {
            return None;
        }
        let frame = self.peek(BLOCK_HEAD + len).get(BLOCK_HEAD..BLOCK_HEAD + len)?;
        if crc32fast::hash(frame) != crc {
            self.vain += len as u64;
            return None;
        }
        Some(len)
    }

    /// On to the next place, at least one byte further, where a block might begin.
    fn skip_to_frame(&mut self) {
        let seen = self.peek(64 << 10);
        let found = seen.windows(FRAME_MAGIC.len()).skip(BLOCK_HEAD + 1).position(|w| w == FRAME_MAGIC);
        // Without one, go on where one may begin whose last bytes are not seen yet.
        let step = found.map_or_else(|| seen.len().saturating_sub(HEAD - 1).max(1), |i| i + 1);
        self.skipped += step as u64;
        self.consume(step);
    }

    /// Counts everything that is left as skipped.
    pub(crate) fn skip_rest(&mut self) {
        loop {
            let n = self.peek(64 << 10).len();
            if n == 0 {
                return;
            }
            self.skipped += n as u64;
            self.consume(n);
        }
    }

    /// How many bytes were skipped since the last call.
    pub(crate) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// Whether reading stopped because the input was too damaged.
    pub(crate) fn gave_up(&self) -> bool {
        self.vain > MAX_VAIN
    }
}
