//! What a 32-bit program does is told as if a 64-bit one did it, and so is what a 64-bit one does by the 32-bit entry.
#![cfg(target_arch = "x86_64")]

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use lanner_collector::sensor::{CompatWatch, Sensor, SensorConfig};
use lanner_core::event::{Event, Payload};
use lanner_tests::calls::{self, Arg, Call, Machine};

use super::compat::life_of;
use super::stage::{clock, config, sensor};

/// What a program makes of its calls: each event but those of every program, without the numbers that differ from one run
/// to the next.
fn told(sensor: &mut Sensor, machine: Machine, calls: &[Call]) -> Option<Vec<String>> {
    // One after the other: what they tell holds the folder's name.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = std::env::temp_dir().join("lanner-narrow");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir(&dir).expect("a folder");
    let program = dir.join("program");
    lanner_tests::executable(&program, &calls::program(machine, calls));
    let since = clock();
    let mut child = match Command::new(&program).current_dir(&dir).spawn() {
        Ok(child) => child,
        Err(error) => {
            lanner_tests::not_run(format!("{machine:?}: {error}"));
            return None;
        }
    };
    let status = child.wait().expect("it ends");
    let life = life_of(sensor, Vec::new(), child.id(), since);
    let _ = fs::remove_dir_all(&dir);
    if !status.success() {
        lanner_tests::not_run(format!("{machine:?}: this kernel takes no 32-bit calls: {status}"));
        return None;
    }
    // What comes with every program, and a connection's end, which comes with its own.
    let own =
        |e: &&Event| !matches!(e.payload, Payload::Exec(_) | Payload::Exit(_) | Payload::Compat(_) | Payload::Close(_));
    let what: Vec<&Event> = life.iter().filter(own).collect();
    for event in &what {
        // What becomes of a connection comes with a packet, and with no thread.
        let by_call = event.header.tid != 0;
        assert!(!by_call || event.header.compat == (machine != Machine::Wide), "{machine:?}: {event:?}");
    }
    let compat = life.iter().filter(|e| matches!(e.payload, Payload::Compat(_))).count();
    assert_eq!(compat, usize::from(machine != Machine::Wide));
    Some(what.into_iter().map(|e| alike(&format!("{:?}", e.payload))).collect())
}

/// With `#` for numbers of four and more digits, and for those of files, processes and maps.
fn alike(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let (number, after) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        out.push_str(before);
        let is_own = ["ino: ", "dev: ", "pid: ", "tid: ", " id: "].iter().any(|name| before.ends_with(name));
        out.push_str(if number.len() > 3 || is_own { "#" } else { number });
        rest = after;
    }
    out + rest
}

/// Has all three kinds of program make the calls; what they tell, which is the same.
fn same(calls: &[Call]) -> Option<Vec<String>> {
    let mut sensor = sensor(&SensorConfig { compat: CompatWatch::Always, ..config() })?;
    let [wide, narrow, mixed] =
        [Machine::Wide, Machine::Narrow, Machine::Mixed].map(|machine| told(&mut sensor, machine, calls));
    let (wide, narrow, mixed) = (wide?, narrow?, mixed?);
    for (machine, told) in [(Machine::Narrow, narrow), (Machine::Mixed, mixed)] {
        wide.iter().zip(&told).for_each(|(wide, told)| assert_eq!(told, wide, "{machine:?}"));
        assert_eq!(told.len(), wide.len(), "{machine:?}: {told:#?}");
    }
    Some(wide)
}

/// The kinds of event among these.
fn kinds(told: &[String]) -> BTreeSet<&str> {
    told.iter().filter_map(|text| text.split(['(', ' ']).next()).collect()
}

fn call<const N: usize>(wide: u32, narrow: u32, arguments: [Arg; N]) -> Call {
    Call(wide, narrow, arguments.into())
}

/// As `AT_FDCWD`.
const HERE: i32 = libc::AT_FDCWD;

#[test]
fn files_and_names() {
    let (write, create) = (libc::O_WRONLY, libc::O_CREAT);
    let told = same(&[
        call(2, 5, ["a".into(), (write | create).into(), 0o600.into()]),
        call(257, 295, [HERE.into(), "b".into(), (write | create).into(), 0o600.into()]),
        call(85, 8, ["c".into(), 0o600.into()]),
        call(82, 38, ["a".into(), "d".into()]),
        call(264, 302, [HERE.into(), "b".into(), HERE.into(), "e".into()]),
        call(316, 353, [HERE.into(), "d".into(), HERE.into(), "e".into(), 2.into()]),
        call(86, 9, ["c".into(), "f".into()]),
        call(265, 303, [HERE.into(), "c".into(), HERE.into(), "g".into(), 0.into()]),
        call(88, 83, ["c".into(), "h".into()]),
        call(266, 304, ["c".into(), HERE.into(), "i".into()]),
        call(87, 10, ["f".into()]),
        call(263, 301, [HERE.into(), "g".into(), 0.into()]),
        call(83, 39, ["dir".into(), 0o700.into()]),
        call(258, 296, [HERE.into(), "dir2".into(), 0o700.into()]),
        call(133, 14, ["pipe".into(), (libc::S_IFIFO | 0o600).into(), 0.into()]),
        call(259, 297, [HERE.into(), "pipe2".into(), (libc::S_IFIFO | 0o600).into(), 0.into()]),
        call(84, 40, ["dir".into()]),
        call(90, 15, ["c".into(), 0o640.into()]),
        call(91, 94, [Arg::Result(0), 0o640.into()]),
        call(268, 306, [HERE.into(), "c".into(), 0o644.into()]),
        call(92, 182, ["c".into(), 7.into(), 8.into()]),
        call(92, 212, ["c".into(), 9.into(), 10.into()]),
        call(93, 95, [Arg::Result(0), 11.into(), 12.into()]),
        call(93, 207, [Arg::Result(0), 13.into(), 14.into()]),
        call(94, 16, ["h".into(), 15.into(), 16.into()]),
        call(94, 198, ["h".into(), 17.into(), 18.into()]),
        call(260, 298, [HERE.into(), "h".into(), 19.into(), 20.into(), libc::AT_SYMLINK_NOFOLLOW.into()]),
        call(76, 92, ["c".into(), 21.into()]),
        call(76, 193, ["c".into(), 22.into(), 0.into()]),
        call(77, 93, [Arg::Result(0), 23.into()]),
        call(77, 194, [Arg::Result(0), 24.into(), 0.into()]),
        call(188, 226, ["c".into(), "trusted.x".into(), "1".into(), 1.into(), 0.into()]),
        call(189, 227, ["c".into(), "trusted.y".into(), "1".into(), 1.into(), 0.into()]),
        call(190, 228, [Arg::Result(0), "trusted.z".into(), "1".into(), 1.into(), 0.into()]),
        call(197, 235, ["c".into(), "trusted.x".into()]),
        call(198, 236, ["c".into(), "trusted.y".into()]),
        call(199, 237, [Arg::Result(0), "trusted.z".into()]),
        call(319, 356, ["memory".into(), 2.into()]),
        call(72, 55, [Arg::Result(37), 1033.into(), 1.into()]),
        call(72, 221, [Arg::Result(37), 1033.into(), 2.into()]),
    ]);
    let Some(told) = told else { return };
    // Extended attributes may not be for this file system.
    assert!(told.len() >= 34, "{told:#?}");
    let all = ["Open", "Rename", "Link", "Unlink", "Make", "Attribute", "MemFd", "Seal"];
    assert_eq!(kinds(&told), BTreeSet::from(all));
}

#[test]
fn privileges_and_mounts() {
    let new_mounts = libc::CLONE_NEWNS | libc::CLONE_NEWUTS;
    let private = u32::try_from(libc::MS_REC | libc::MS_PRIVATE).expect("flags");
    let array = [2u32, 4, 4, 1].iter().flat_map(|n| n.to_ne_bytes()).chain([0; 56]).collect();
    let header = [0x2008_0522u32, 0].iter().flat_map(|n| n.to_ne_bytes()).collect();
    let told = same(&[
        call(2, 5, ["/proc/self/ns/uts".into(), 0.into(), 0.into()]),
        call(272, 310, [new_mounts.into()]),
        call(308, 346, [Arg::Result(0), 0.into()]),
        call(165, 21, ["none".into(), "/".into(), 0.into(), private.into(), 0.into()]),
        call(83, 39, ["m".into(), 0o700.into()]),
        call(165, 21, ["mine".into(), "m".into(), "tmpfs".into(), 2.into(), "mode=0700".into()]),
        call(166, 52, ["m".into(), 2.into()]),
        call(430, 430, ["tmpfs".into(), 0.into()]),
        call(431, 431, [Arg::Result(7), 1.into(), "source".into(), "there".into(), 0.into()]),
        call(431, 431, [Arg::Result(7), 6.into(), 0.into(), 0.into(), 0.into()]),
        call(432, 432, [Arg::Result(7), 0.into(), 0.into()]),
        call(429, 429, [Arg::Result(10), "".into(), HERE.into(), "m".into(), 4.into()]),
        call(442, 442, [HERE.into(), "m".into(), 0.into(), Arg::Bytes([vec![1], vec![0; 31]].concat()), 32.into()]),
        call(428, 428, [HERE.into(), "m".into(), 1.into()]),
        // Once without flags: the 32-bit call that has none must not be told with what stands where they would.
        call(166, 22, ["m".into(), 0.into()]),
        call(165, 21, ["again".into(), "m".into(), "tmpfs".into(), 0.into(), 0.into()]),
        call(161, 61, ["m".into()]),
        call(110, 64, []),
        call(101, 26, [16.into(), 0x3fff_fff0.into(), 0.into(), 0.into()]),
        call(310, 347, [Arg::Result(17), 0.into(), 0.into(), 0.into(), 0.into(), 0.into()]),
        call(434, 434, [Arg::Result(17), 0.into()]),
        call(438, 438, [Arg::Result(20), 0.into(), 0.into()]),
        call(321, 357, [0.into(), Arg::Bytes(array), 72.into()]),
        call(175, 128, [0.into(), 0.into(), "".into()]),
        call(313, 350, [(-1).into(), "words=1".into(), 0.into()]),
        call(176, 129, ["none".into(), 0.into()]),
        call(116, 206, [0.into(), 0.into()]),
        call(126, 185, [Arg::Bytes(header), Arg::Bytes(vec![0xff; 24])]),
        call(119, 210, [5.into(), 6.into(), 7.into()]),
        call(123, 216, [8.into()]),
        call(117, 208, [0.into(), 1.into(), 0.into()]),
        call(122, 215, [2.into()]),
        call(113, 203, [0.into(), 0.into()]),
        call(114, 71, [9.into(), 10.into()]),
        call(106, 46, [11.into()]),
        call(105, 23, [12.into()]),
    ]);
    let Some(told) = told else { return };
    assert!(told.len() >= 25, "{told:#?}");
    let mut all = BTreeSet::from(["Namespace", "Mount", "Make", "Root", "Trace", "Bpf", "Credentials"]);
    // Not every kernel takes modules.
    all.extend(kinds(&told).get("Kernel"));
    assert_eq!(kinds(&told), all);
}

/// `sockaddr_un` of an abstract name.
fn abstract_name(name: &[u8]) -> (Vec<u8>, u32) {
    let address = [&[1, 0, 0][..], name].concat();
    let len = u32::try_from(address.len()).expect("short");
    (address, len)
}

/// A connection to a unix socket and to a TCP port of one's own, a packet socket, sockets as standard input.
fn on_sockets(make: impl Fn(Named, Vec<Arg>) -> Call) -> Vec<Call> {
    let (unix, len) = abstract_name(b"lanner-narrow");
    let room = |n| Arg::Room(n);
    vec![
        make(Named::Socket, vec![1.into(), 1.into(), 0.into()]),
        make(Named::Bind, vec![Arg::Result(0), Arg::Bytes(unix.clone()), len.into()]),
        make(Named::Listen, vec![Arg::Result(0), 1.into()]),
        make(Named::Socket, vec![1.into(), 1.into(), 0.into()]),
        make(Named::Connect, vec![Arg::Result(3), Arg::Bytes(unix), len.into()]),
        make(Named::Socket, vec![17.into(), 3.into(), 0.into()]),
        make(Named::Socket, vec![2.into(), 1.into(), 0.into()]),
        make(
            Named::Bind,
            vec![Arg::Result(6), Arg::Bytes(vec![2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 16.into()],
        ),
        make(Named::Listen, vec![Arg::Result(6), 1.into()]),
        make(Named::Name, vec![Arg::Result(6), room(0), Arg::Bytes(16u32.to_le_bytes().to_vec())]),
        make(Named::Socket, vec![2.into(), 1.into(), 0.into()]),
        make(Named::Connect, vec![Arg::Result(10), room(0), 16.into()]),
        make(Named::Accept, vec![Arg::Result(6), 0.into(), 0.into(), 0.into()]),
        call(33, 63, [Arg::Result(12), 0.into()]),
        call(72, 55, [Arg::Result(10), 0.into(), 1.into()]),
        // In a network namespace of its own no route leads anywhere.
        call(272, 310, [libc::CLONE_NEWNET.into()]),
        make(Named::Socket, vec![2.into(), 1.into(), 0.into()]),
        make(
            Named::Connect,
            vec![Arg::Result(16), Arg::Bytes(vec![2, 0, 0, 9, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 16.into()],
        ),
    ]
}

#[derive(Clone, Copy)]
enum Named {
    Socket,
    Bind,
    Listen,
    Connect,
    Accept,
    Name,
}

impl Named {
    /// The 64-bit number, the 32-bit one, and what socketcall calls it.
    fn numbers(self) -> (u32, u32, u32) {
        match self {
            Named::Socket => (41, 359, 1),
            Named::Bind => (49, 361, 2),
            Named::Connect => (42, 362, 3),
            Named::Listen => (50, 363, 4),
            Named::Name => (51, 367, 6),
            Named::Accept => (288, 364, 18),
        }
    }
}

const SOCKETS: [&str; 8] = ["Accept", "Bind", "Connect", "Listen", "Namespace", "Socket", "Stdio", "Unix"];

#[test]
fn sockets() {
    let direct = on_sockets(|named, arguments| {
        let (wide, narrow, _) = named.numbers();
        Call(wide, narrow, arguments)
    });
    let Some(told) = same(&direct) else { return };
    assert_eq!(kinds(&told), BTreeSet::from(SOCKETS), "{told:#?}");

    // All of it by one number.
    let Some(mut sensor) = sensor(&SensorConfig { compat: CompatWatch::Always, ..config() }) else { return };
    let at_once = on_sockets(|named, arguments| {
        let (wide, _, which) = named.numbers();
        Call(wide, 102, vec![which.into(), Arg::List(arguments)])
    });
    for machine in [Machine::Narrow, Machine::Mixed] {
        let Some(by_socketcall) = self::told(&mut sensor, machine, &at_once) else { return };
        assert_eq!(by_socketcall, told, "{machine:?}");
    }
}
