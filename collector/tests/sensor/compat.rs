//! 32-bit system calls.
#![cfg(target_arch = "x86_64")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lanner_collector::sensor::{CompatWatch, Sensor, SensorConfig};
use lanner_core::event::{BootTime, Compat, Event, Hook, HookState, Payload};
use lanner_tests::calls::{self, Arg, Call, Machine};
use lanner_tests::executable;

use super::stage::{PATIENCE, clock, config, file_id, helper, sensor, skipped};

/// `open` as 32-bit x86 numbers it.
const OPEN: u32 = 5;
const READ: u32 = 3;

/// Drains a sensor until `pid`, a child that was made after `since`, has ended; what it did. `all` is what was seen since.
pub(super) fn life_of(sensor: &mut Sensor, mut all: Vec<Event>, pid: u32, since: BootTime) -> Vec<Event> {
    let begun = Instant::now();
    // Numbers of processes are used again.
    let of = |e: &Event| e.header.process.pid == pid && e.header.time >= since;
    while !all.iter().any(|e| of(e) && matches!(e.payload, Payload::Exit(_))) {
        skipped(&sensor.drain(&mut all));
        assert!(begun.elapsed() < PATIENCE, "{pid} ends");
        sensor.wait(Duration::from_millis(4)).expect("waiting works");
    }
    all.retain(of);
    all
}

fn compat(life: &[Event]) -> Vec<Compat> {
    life.iter().filter_map(|e| if let Payload::Compat(compat) = e.payload { Some(compat) } else { None }).collect()
}

fn created(life: &[Event]) -> Vec<String> {
    let of = |e: &Event| match &e.payload {
        Payload::Open(open) if open.created => Some(open.file.path.to_string()),
        _ => None,
    };
    life.iter().filter_map(of).collect()
}

fn is_attached(sensor: &Sensor) -> bool {
    let hook = sensor.hooks().iter().find(|hook| hook.name == "raw_syscalls").expect("it is listed");
    hook.state == HookState::Attached
}

#[test]
fn a_64_bit_program_that_makes_32_bit_calls_is_told_when_they_are_watched() {
    let always = SensorConfig { compat: CompatWatch::Always, ..config() };
    let Some(mut sensor) = sensor(&always) else { return };
    assert!(is_attached(&sensor));
    let dir = tempfile::tempdir().expect("a folder");
    let since = clock();
    let mut child = helper("compat::opens_by_interrupt").current_dir(dir.path()).spawn().expect("it runs");
    if !child.wait().expect("it ends").success() {
        return lanner_tests::not_run("this kernel takes no 32-bit calls");
    }
    let life = life_of(&mut sensor, Vec::new(), child.id(), since);
    assert_eq!(compat(&life), [Compat { call: OPEN, from_native: true }], "once");
    assert_eq!(created(&life), [dir.path().join("made").display().to_string()], "what it opens is told as ever");
}

#[test]
#[ignore = "what another test runs as a process of its own"]
fn opens_by_interrupt() {
    // The path must lie where 32 bits reach.
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_32BIT;
    // SAFETY: a new mapping, whose beginning is written while it is there; interrupt 0x80 changes no register but the
    // result's.
    unsafe {
        let low = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_ne!(low, libc::MAP_FAILED);
        low.cast::<[u8; 5]>().write(*b"made\0");
        let mut result = i64::from(OPEN);
        std::arch::asm!(
            "push rbx",
            "mov ebx, {path:e}",
            "int 0x80",
            "pop rbx",
            path = in(reg) low,
            inout("rax") result,
            in("rcx") i64::from(libc::O_WRONLY | libc::O_CREAT),
            in("rdx") 0o600,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
        assert!(result >= 0, "{result}");
    }
}

/// A 32-bit program: waits for a byte on its input, opens `made` here, and ends.
fn program(path: &Path) {
    let read = Call(0, READ, vec![0.into(), Arg::Room(0), 1.into()]);
    let open = Call(2, OPEN, vec!["made".into(), (libc::O_WRONLY | libc::O_CREAT).into(), 0o600.into()]);
    executable(path, &calls::program(Machine::Narrow, &[read, open]));
}

#[test]
fn a_32_bit_program_makes_the_sensor_watch_its_calls() {
    let goes_at_once = SensorConfig { compat_lingers: Duration::ZERO, ..config() };
    let Some(mut sensor) = sensor(&goes_at_once) else { return };
    let hook =
        |sensor: &Sensor| sensor.hooks().iter().find(|hook| hook.name == "raw_syscalls").cloned().expect("listed");
    let waits = matches!(hook(&sensor).state, HookState::Waiting(what) if what.starts_with("a 32-bit program"));
    assert!(waits && hook(&sensor).without.contains("int 0x80"), "{:?}", hook(&sensor));
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("old");
    program(&path);
    let since = clock();
    let mut child = match Command::new(&path).current_dir(dir.path()).stdin(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return lanner_tests::not_run(format!("this kernel runs no 32-bit program: {error}")),
    };
    let (mut early, begun) = (Vec::new(), Instant::now());
    while !is_attached(&sensor) {
        sensor.drain(&mut early);
        assert!(begun.elapsed() < PATIENCE, "the sensor watches");
        thread::yield_now();
    }
    child.stdin.take().expect("piped").write_all(b"x").expect("written");
    assert!(child.wait().expect("it ends").success());
    let life = life_of(&mut sensor, early, child.id(), since);
    let Some(exec) = life.iter().find_map(|e| if let Payload::Exec(exec) = &e.payload { Some(exec) } else { None })
    else {
        panic!("an exec: {life:?}")
    };
    assert!(exec.image.compat);
    assert_eq!(exec.image.exe.id, file_id(&path));
    // It is within `read` when the hook comes, unless a program of another test has brought it before.
    let [Compat { call: OPEN | READ, from_native: false }] = compat(&life)[..] else { panic!("once: {life:?}") };
    assert_eq!(created(&life), [dir.path().join("made").display().to_string()]);
    // Others may run 32-bit programs too, but not for ever.
    let begun = Instant::now();
    while is_attached(&sensor) {
        sensor.drain(&mut Vec::new());
        assert!(begun.elapsed() < PATIENCE, "it goes again");
        thread::yield_now();
    }
}

/// A 64-bit program makes one call by the 32-bit entry, and waits: the sensor, which does not look at every call, is told of
/// this one by another hook, and watches what comes after.
fn makes_the_sensor_watch(sensor: &mut Sensor, first: Vec<Call>) {
    let goes_at_once = Instant::now();
    while is_attached(sensor) {
        sensor.drain(&mut Vec::new());
        assert!(goes_at_once.elapsed() < PATIENCE, "nobody else makes such calls");
    }
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("mixed");
    let read = Call(0, READ, vec![0.into(), Arg::Room(0), 1.into()]);
    let open = Call(2, OPEN, vec!["made".into(), (libc::O_WRONLY | libc::O_CREAT).into(), 0o600.into()]);
    executable(&path, &calls::program(Machine::Mixed, &[first, vec![read, open]].concat()));
    let since = clock();
    let mut child = Command::new(&path).current_dir(dir.path()).stdin(Stdio::piped()).spawn().expect("it runs");
    let (mut early, begun) = (Vec::new(), Instant::now());
    while !is_attached(sensor) {
        sensor.drain(&mut early);
        assert!(begun.elapsed() < PATIENCE, "the sensor watches: {early:?}");
        thread::yield_now();
    }
    child.stdin.take().expect("piped").write_all(b"x").expect("written");
    assert!(child.wait().expect("it ends").success());
    let life = life_of(sensor, early, child.id(), since);
    assert!(compat(&life).iter().all(|c| c.from_native) && compat(&life).len() == 1, "{life:?}");
    assert_eq!(created(&life), [dir.path().join("made").display().to_string()]);
}

#[test]
fn a_64_bit_program_that_makes_32_bit_calls_is_watched_once_one_of_them_shows() {
    let goes_at_once = SensorConfig { compat_lingers: Duration::ZERO, ..config() };
    let Some(mut sensor) = sensor(&goes_at_once) else { return };
    let probe = tempfile::tempdir().expect("a folder");
    let nothing = probe.path().join("nothing");
    executable(&nothing, &calls::program(Machine::Mixed, &[]));
    if !Command::new(&nothing).status().is_ok_and(|status| status.success()) {
        return lanner_tests::not_run("this kernel takes no 32-bit calls");
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port().to_be_bytes();
    let to = [&[2, 0, port[0], port[1], 127, 0, 0, 1][..], &[0; 8]].concat();
    makes_the_sensor_watch(
        &mut sensor,
        vec![
            Call(41, 359, vec![2.into(), 1.into(), 0.into()]),
            Call(42, 362, vec![Arg::Result(0), Arg::Bytes(to), 16.into()]),
        ],
    );
    let opens = |hook: &Hook| hook.name == "security_file_open" && hook.state == HookState::Attached;
    if sensor.hooks().iter().any(opens) {
        makes_the_sensor_watch(&mut sensor, vec![Call(2, OPEN, vec!["/dev/null".into(), 0.into(), 0.into()])]);
    }
}
