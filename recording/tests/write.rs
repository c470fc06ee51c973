//! Writing: what is safe when, and how small it is.

use std::io::{self, Write};

use lanner_core::event::*;
use lanner_recording::{Header, Options, Reader, Writer};

#[path = "../../proto/tests/generator/mod.rs"]
mod generator;
use generator::Rng;

/// A disk with so much room.
struct Disk {
    room: usize,
    data: Vec<u8>,
}

impl Write for &mut Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room);
        if n == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room -= n;
        self.data.extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said_and_what_was_written_before_stays_readable() {
    let mut rng = Rng(21);
    for room in (0..30_000).step_by(997) {
        let mut disk = Disk { room, data: Vec::new() };
        let error = match Writer::new(&mut disk, &Header::default(), Options::LIVE) {
            Err(error) => error,
            Ok(mut writer) => (0..)
                .find_map(|i| writer.write(&rng.batch(1 + i * 10, 10)).and_then(|()| writer.flush()).err())
                .unwrap(),
        };
        assert!(error.to_string().contains("no storage space"), "{error}");
        if let Ok(reader) = Reader::new(disk.data.as_slice()) {
            let events: usize = reader.map(|batch| batch.events.len()).sum();
            assert_eq!(events as u64, error.saved, "room for {room}");
        }
    }
}

#[test]
fn what_was_flushed_is_safe_and_blocks_end_by_themselves() {
    let mut rng = Rng(22);
    let mut disk = Disk { room: usize::MAX, data: Vec::new() };
    let mut writer = Writer::new(&mut disk, &Header::default(), Options::LIVE).unwrap();
    for i in 0..100 {
        writer.write(&rng.batch(1 + i * 20, 20)).unwrap();
    }
    drop(writer);
    let events = Reader::new(disk.data.as_slice()).unwrap().flat_map(|batch| batch.events).count();
    assert!((1500..2000).contains(&events), "all but the last block of at most 64 KiB: {events}");
}

/// Something like what a busy node does: shells that run programs with arguments, and files and connections of theirs.
fn busy_node(n: u64) -> Vec<Batch> {
    let programs = ["/usr/bin/cat", "/usr/bin/python3.11", "/usr/lib/git-core/git", "/usr/bin/ls", "/bin/busybox"];
    let mut rng = Rng(23);
    let event = |rng: &mut Rng, seq: u64| {
        let exe = programs[rng.below(5) as usize];
        let key = ProcessKey::new(4000 + (seq / 4) as u32, 80_000_000_000_000 + seq / 4 * 7_654_321);
        let task = Task {
            parent: Some(ProcessKey::new(3999, 79_999_999_999_999)),
            comm: Text::from(Text::from(exe).file_name()),
            ns_pid: key.pid - 3000,
            context: Context {
                pid_namespaces: vec![4_026_531_836],
                cgroup: "/kubepods/besteffort/pod0d6e2f/4b1c8a1e".into(),
                ..Context::default()
            }
            .into(),
            ..Task::default()
        };
        let payload = match seq % 4 {
            0 => Payload::Fork(Box::new(Fork { child: key, how: CloneFlags::default(), task })),
            1 => {
                let list =
                    [exe.to_owned(), "--config".into(), format!("/etc/app/{}.yaml", rng.below(500)), "-v".into()];
                let image = Image {
                    exe: File::new(exe, 65_025, 393_000 + rng.below(5)),
                    args: Args { list: list.map(Text::from).to_vec(), truncated: false },
                    cwd: "/srv/app".into(),
                    ..Image::default()
                };
                Payload::Exec(Box::new(Exec { task, image }))
            }
            2 => Payload::Open(Box::new(Open {
                file: File::new(format!("/var/lib/app/{:x}", rng.below(100_000)), 65_025, rng.below(1 << 24)),
                fd: 3,
                access: Access { read: false, write: true },
                created: true,
                written_before: false,
                directory: false,
                through: Through::Call,
                passed: None,
            })),
            _ => Payload::Exit(Exit { code: 0, signal: 0 }),
        };
        let time = BootTime(80_000_000_000_000 + seq * 2_000_000 + rng.below(1_000_000));
        Event { header: header(seq, time, key), payload }
    };
    let mut batches = Vec::new();
    for first_seq in (1..=n).step_by(10) {
        let events: Vec<Event> = (first_seq..first_seq + 10).map(|seq| event(&mut rng, seq)).collect();
        batches.push(Batch { first_seq, now: events[9].header.time, events, ..Batch::default() });
    }
    batches
}

fn header(seq: u64, time: BootTime, process: ProcessKey) -> lanner_core::event::Header {
    lanner_core::event::Header {
        seq,
        time,
        cpu: (seq % 2) as u32,
        process,
        tid: process.pid,
        origin: Origin::Live,
        compat: false,
    }
}

#[test]
fn a_few_thousand_events_fit_into_300_kilobytes() {
    let batches = busy_node(6000);
    let mut writer = Writer::new(Vec::new(), &Header::default(), Options::COMPACT).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    let bytes = writer.finish().unwrap();
    println!("{} events in {} bytes", 6000, bytes.len());
    assert!(bytes.len() <= 300_000, "{} bytes", bytes.len());
    assert_eq!(Reader::new(bytes.as_slice()).unwrap().collect::<Vec<_>>(), batches);
}
