//! Whatever happens to a recording, what is readable is delivered, and what is not is said.

use lanner_core::event::{Batch, Event, LossCause, NodeInfo};
use lanner_recording::{Header, OpenError, Options, Reader, Report, VERSION, Writer};

#[path = "../../proto/tests/generator/mod.rs"]
mod generator;
use generator::Rng;

/// Length of the magic and the version.
const START: usize = 12;

fn batches() -> Vec<Batch> {
    let mut rng = Rng(11);
    (0..6).map(|i| rng.batch(1 + i * 3, 3)).collect()
}

fn header() -> Header {
    Header { note: "a note".into(), ..Header::new(NodeInfo { name: "node".into(), ..NodeInfo::default() }) }
}

/// A recording with a block for each batch.
fn recording(batches: &[Batch]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header(), Options::LIVE).expect("memory has room");
    for batch in batches {
        writer.write(batch).expect("memory has room");
        writer.flush().expect("memory has room");
    }
    writer.finish().expect("memory has room")
}

fn read(bytes: &[u8]) -> Result<(Header, Vec<Batch>, Report), OpenError> {
    let mut reader = Reader::new(bytes)?;
    let header = reader.header().clone();
    let batches = reader.by_ref().collect();
    Ok((header, batches, reader.report()))
}

fn events(batches: &[Batch]) -> Vec<Event> {
    batches.iter().flat_map(|b| b.events.clone()).collect()
}

fn problem(bytes: &[u8]) -> String {
    read(bytes).expect("it begins like a recording").2.problem.unwrap_or_default()
}

#[test]
fn a_sound_recording_is_read_as_it_was_written() {
    let (head, back, report) = read(&recording(&batches())).unwrap();
    assert_eq!(head, header());
    assert_eq!(back, batches());
    assert_eq!(report, Report { batches: 6, events: 18, unreadable_bytes: 0, problem: None });
}

#[test]
fn cut_anywhere_it_gives_a_prefix_and_says_how_much_is_lost() {
    let all = batches();
    let whole = recording(&all);
    let mut longest = 0;
    for cut in 0..whole.len() {
        let (head, back, report) = match read(&whole[..cut]) {
            Err(OpenError::Foreign(what)) => {
                assert_eq!((cut, what), (0, "an empty file"));
                continue;
            }
            Err(error) => {
                assert!(matches!(error, OpenError::Stump) && cut < START, "{cut}: {error}");
                continue;
            }
            Ok(read) => read,
        };
        assert_eq!(back, all[..back.len()], "cut at {cut}");
        assert!(back.len() >= longest, "cut at {cut}: fewer batches than from a shorter piece");
        longest = back.len();
        assert!(head == header() || back.is_empty());
        let problem = report.problem.unwrap_or_else(|| panic!("cut at {cut}: no problem reported"));
        assert!(problem.contains("cut short") || problem.contains("not finished"), "{problem}");
        assert!(report.unreadable_bytes < cut as u64);
    }
    assert_eq!(longest, all.len());
}

#[test]
fn a_flipped_bit_costs_one_block_and_is_counted() {
    let all = batches();
    let whole = recording(&all);
    let sent = events(&all);
    for at in START..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        let (_, back, report) = read(&bytes).unwrap();
        let got = events(&back);
        assert!(got.len() >= sent.len() - 3, "flip at {at}: {} of {} events", got.len(), sent.len());
        assert!(got.iter().all(|event| sent.contains(event)), "flip at {at}: an event that never was");
        assert!(got.is_sorted_by_key(|event| event.header.seq));
        assert!(report.problem.is_some() && report.unreadable_bytes > 0, "flip at {at} went unnoticed");
        let counted: u64 =
            back.iter().flat_map(|b| &b.losses).filter(|l| l.cause == LossCause::Recording).map(|l| l.count).sum();
        let last_is_there = got.last() == sent.last();
        // What is missing at the very end, or before the first batch, no later batch can count.
        if last_is_there && got.first() == sent.first() {
            assert_eq!(got.len() as u64 + counted, sent.len() as u64, "flip at {at}");
        }
    }
}

#[test]
fn junk_between_blocks_is_skipped() {
    let all = batches();
    let whole = recording(&all);
    let mut rng = Rng(12);
    for junk in [1_usize, 11, 12, 13, 1000, 70_000, 200_000] {
        // After the header's block: its length stands right after the file's start.
        let len = u32::from_le_bytes(whole[START..START + 4].try_into().unwrap()) as usize;
        let mut bytes = whole.clone();
        bytes.splice(START + 8 + len..START + 8 + len, (0..junk).map(|_| rng.next() as u8));
        let (_, back, report) = read(&bytes).unwrap();
        assert_eq!(events(&back), events(&all));
        assert_eq!(report.unreadable_bytes, junk as u64);
        assert!(report.problem.unwrap().starts_with("damaged and left out: "));
    }
}

#[test]
fn random_junk_is_never_a_reason_to_panic() {
    let mut rng = Rng(13);
    let whole = recording(&batches());
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=rng.below(20) {
            let at = START + rng.below((bytes.len() - START) as u64) as usize;
            bytes[at] = rng.next() as u8;
        }
        bytes.truncate(START + rng.below((bytes.len() - START) as u64) as usize);
        let (_, back, report) = read(&bytes).unwrap();
        assert_eq!(report.events, events(&back).len() as u64);
        let mut junk: Vec<u8> = (0..rng.below(3000)).map(|_| rng.next() as u8).collect();
        assert!(matches!(read(&junk), Err(OpenError::Foreign(_))));
        junk.splice(0..0, whole[..START].iter().copied());
        assert_eq!(read(&junk).unwrap().2.events, 0);
    }
}

#[test]
fn a_lost_header_costs_the_nodes_name_only() {
    let mut bytes = recording(&batches());
    bytes[START + 20] ^= 1;
    let (head, back, _) = read(&bytes).unwrap();
    assert_eq!(head, Header::default());
    assert_eq!(back.len(), 6);
    assert!(problem(&bytes).starts_with("its header is missing or damaged"));
}

#[test]
fn a_recording_of_the_future_is_named_so() {
    let mut bytes = recording(&batches());
    bytes[8] = VERSION as u8 + 1;
    assert!(matches!(read(&bytes), Err(OpenError::Future(2))));
    assert!(read(&bytes).unwrap_err().to_string().contains("format 2"));
}

#[test]
fn what_is_no_recording_is_named() {
    let said = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    assert_eq!(said(b"{\"a\":1}\n"), "this is not a Lanner recording: it looks like JSON, perhaps another tool's log");
    assert_eq!(said(b"\x7fELF"), "this is not a Lanner recording: it looks like a program or library (ELF)");
    assert_eq!(said(b""), "this is not a Lanner recording: it looks like an empty file");
    assert_eq!(said(b"\x89LANN"), "the recording is cut short within its first 12 bytes: nothing of it is left");
}

#[test]
fn bytes_after_the_end_are_left_out() {
    let mut bytes = recording(&batches());
    bytes.extend_from_slice(b"trailing");
    let (_, back, report) = read(&bytes).unwrap();
    assert_eq!((back.len(), report.unreadable_bytes), (6, 8));
    assert_eq!(report.problem.unwrap(), "left out: 8 bytes after its end");
}

/// A block with a right checksum.
fn block(content: &[u8]) -> Vec<u8> {
    let frame = zstd::bulk::compress(content, 3).expect("level 3 exists");
    let mut block = (frame.len() as u32).to_le_bytes().to_vec();
    block.extend(crc32fast::hash(&frame).to_le_bytes());
    block.extend(frame);
    block
}

#[test]
fn a_block_that_would_fill_the_memory_is_left_out() {
    let whole = recording(&batches());
    let bomb = block(&vec![0; 64 << 20]);
    assert!(bomb.len() < 10_000);
    let mut bytes = whole.clone();
    bytes.splice(START..START, bomb.iter().copied());
    let (_, back, report) = read(&bytes).unwrap();
    assert_eq!((back.len(), report.unreadable_bytes), (6, bomb.len() as u64));
}

#[test]
fn a_block_of_someone_elses_messages_is_left_out() {
    let whole = recording(&batches());
    let mut bytes = whole.clone();
    bytes.splice(START..START, block(&[0xff; 100]));
    let (head, back, report) = read(&bytes).unwrap();
    assert_eq!((head, back.len(), report.unreadable_bytes), (header(), 6, 100));
}

#[test]
fn entries_newer_than_this_version_are_counted() {
    let mut bytes = recording(&batches());
    // Field 15 of a RecordingItem, which no version knows yet; an item of 2 bytes.
    bytes.splice(START..START, block(&[2, 0x7a, 0]));
    let (_, back, report) = read(&bytes).unwrap();
    assert_eq!(back.len(), 6);
    assert_eq!(report.problem.unwrap(), "left out: 1 of its entries, newer than this version");
}

#[test]
fn false_beginnings_do_not_keep_the_reader_busy() {
    let mut bytes = recording(&[])[..START].to_vec();
    while bytes.len() < 12 << 20 {
        bytes.extend((1_u32 << 20).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend([0x28, 0xb5, 0x2f, 0xfd]);
    }
    let (_, back, report) = read(&bytes).unwrap();
    assert_eq!((back.len(), report.unreadable_bytes), (0, (bytes.len() - START) as u64));
    assert!(report.problem.unwrap().contains("too damaged to go on"));
}

/// An input that fails after some bytes.
struct Fails<'a>(&'a [u8]);

impl std::io::Read for Fails<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match std::io::Read::read(&mut self.0, buf)? {
            0 => Err(std::io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

#[test]
fn an_input_that_fails_gives_what_came_before() {
    let whole = recording(&batches());
    let mut reader = Reader::new(Fails(&whole[..whole.len() - 40])).unwrap();
    assert!(reader.by_ref().count() >= 5);
    assert!(reader.report().problem.unwrap().contains("the disk is gone"));
}
