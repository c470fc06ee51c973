//! Bytes that the kernel moves between open files (splice, sendfile, copy_file_range), of which the process has none in its
//! memory: nobody is told of the moving. What is told is that both ends were opened, and what a connection sent.

use std::fs;
use std::io::{self, Read as _};
use std::net::TcpListener;
use std::os::fd::AsRawFd as _;

use lanner_core::event::{Access, End, Event, File, Open, OpenFlags, Passed, Payload, Through};

use super::network::{connect, in_own_network, tcp};
use super::stage::{after, done, expect_of_anybody, file_id, perform, shell, stage};

const SIZE: usize = 4096;

/// All of a file through a pipe.
fn splice(from: i32, to: i32) -> io::Result<()> {
    let mut pipe = [0; 2];
    let null = std::ptr::null_mut();
    // SAFETY: room for two descriptors, and offsets that may be null.
    unsafe {
        done(libc::pipe(pipe.as_mut_ptr()).into())?;
        done(libc::splice(from, null, pipe[1], null, SIZE, 0) as i64)?;
        done(libc::splice(pipe[0], null, to, null, SIZE, 0) as i64)?;
        done(libc::close(pipe[0]).into())?;
        done(libc::close(pipe[1]).into()).map(drop)
    }
}

fn opens(life: &[Event]) -> Vec<&Open> {
    life.iter().filter_map(|e| if let Payload::Open(open) = &e.payload { Some(open.as_ref()) } else { None }).collect()
}

#[test]
fn who_moves_bytes_between_files_opened_both_and_links_them_to_who_reads_the_copy() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = |name: &str| dir.path().join(name);
    fs::write(path("loot"), vec![7; SIZE]).expect("written");
    let file = |name: &str| {
        let id = file_id(path(name));
        File::new(path(name).display().to_string(), id.dev, id.ino)
    };
    for way in ["splice", "sendfile", "copy_file_range"] {
        let copy = super::place::c(path(way));
        let loot = super::place::c(path("loot"));
        let (_, life) = perform(
            stage,
            &mut after(move || {
                let null = std::ptr::null_mut();
                // SAFETY: NUL-terminated names, descriptors just made, and offsets that may be null.
                unsafe {
                    let from = done(libc::open(loot.as_ptr(), libc::O_RDONLY).into())? as i32;
                    let to = done(libc::open(copy.as_ptr(), libc::O_WRONLY | libc::O_CREAT, 0o600).into())? as i32;
                    match way {
                        "splice" => splice(from, to)?,
                        "sendfile" => drop(done(libc::sendfile(to, from, null, SIZE) as i64)?),
                        _ => drop(done(libc::copy_file_range(from, null.cast(), to, null.cast(), SIZE, 0) as i64)?),
                    }
                }
                Ok(())
            }),
        );
        assert_eq!(fs::read(path(way)).expect("copied").len(), SIZE);
        let [read, written] = opens(&life)[..] else { panic!("two opens: {life:?}") };
        let expected = Open {
            file: file("loot"),
            fd: read.fd,
            access: Access { read: true, write: false },
            created: false,
            written_before: true,
            directory: false,
            through: Through::Call,
            passed: Some(Passed { name: None, flags: OpenFlags(0), mode: 0 }),
        };
        assert_eq!(read, &expected, "{way}");
        let access = Access { read: false, write: true };
        let passed = Some(Passed { name: None, flags: OpenFlags(0o101), mode: 0o600 });
        let created =
            Open { file: file(way), fd: written.fd, access, created: true, written_before: false, passed, ..expected };
        assert_eq!(written, &created, "{way}");
        let families = ["fork", "exec", "open", "exit"];
        assert!(life.iter().all(|e| families.contains(&e.payload.family())), "of the moving nothing: {life:?}");

        let (_, life) = perform(stage, &mut shell(&format!("exec 7< {}", path(way).display())));
        let [read] = opens(&life)[..] else { panic!("one open: {life:?}") };
        assert!(read.file == file(way) && read.written_before, "{read:?}");
    }
}

#[test]
fn a_file_that_is_moved_into_a_connection_shows_in_what_that_sent() {
    let Some(stage) = stage() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("loot");
    fs::write(&path, vec![7; SIZE]).expect("written");
    let id = file_id(&path);
    in_own_network(|netns| {
        for by_sendfile in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let there = listener.local_addr().expect("its address");
            let name = super::place::c(&path);
            let reads = std::thread::spawn(move || {
                listener.accept().expect("accepted").0.read_to_end(&mut Vec::new()).expect("read")
            });
            let (pid, life) = perform(
                stage,
                &mut after(move || {
                    let out = tcp();
                    done(-i64::from(connect(&out, there)))?;
                    // SAFETY: a NUL-terminated name, and an offset that may be null.
                    unsafe {
                        let from = done(libc::open(name.as_ptr(), libc::O_RDONLY).into())? as i32;
                        if by_sendfile {
                            done(libc::sendfile(out.as_raw_fd(), from, std::ptr::null_mut(), SIZE) as i64).map(drop)
                        } else {
                            splice(from, out.as_raw_fd())
                        }
                    }
                }),
            );
            assert_eq!(reads.join().expect("it ends well"), SIZE);
            let [read] = opens(&life)[..] else { panic!("one open: {life:?}") };
            assert!(read.file.id == id && read.access.read && read.written_before, "{read:?}");
            let closed = expect_of_anybody(stage, "its end is closed", |e| match e.payload {
                Payload::Close(c) if (c.flow.remote, c.flow.netns) == (there, netns) => Some((e.header.process, c)),
                _ => None,
            });
            assert_eq!((closed.0.pid, closed.1.sent, closed.1.end), (pid, SIZE as u64, End::Finished));
        }
    });
}
