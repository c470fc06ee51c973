//! What already runs when the sensor starts.

use std::collections::{HashMap, HashSet};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio as Redirect};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lanner_core::event::{
    Args, Environment, Event, Exec, File, Image, Origin, Payload, ProcessKey, Stdio, StdioKind, Text,
};

use super::own;
use super::stage::{Ends, PATIENCE, config, file_id, is_me, sensor, skipped};

#[test]
fn what_already_runs_is_told_as_an_exec_tells_it() {
    let mut child = Command::new("/bin/sleep")
        .args(["1000", "0"])
        .current_dir("/usr/share")
        .env_clear()
        .env("HISTFILE", "/dev/null")
        .stdin(Redirect::null())
        .stdout(Redirect::piped())
        .stderr(Redirect::null())
        .spawn()
        .expect("sleep runs");
    let out = format!("/proc/self/fd/{}", child.stdout.as_ref().expect("piped").as_raw_fd());
    let out = std::fs::metadata(out).expect("the pipe").ino();
    let loaded = sensor(&config());
    let events = loaded.map(|mut sensor| sensor.backfill());
    child.kill().expect("killed");
    child.wait().expect("ended");
    let Some(events) = events else { return };
    let found = events.iter().find(|e| e.header.process.pid == child.id()).expect("it is told of");
    assert_eq!(found.header.origin, Origin::Backfill);
    let Payload::Alive(exec) = &found.payload else { panic!("alive: {found:?}") };
    let parent = exec.task.parent.expect("a parent");
    assert!(is_me(parent), "{exec:?}");
    let id = file_id("/bin/sleep");
    let path = std::fs::canonicalize("/bin/sleep").expect("sleep").display().to_string();
    let null = Stdio { kind: StdioKind::Device, ino: std::fs::metadata("/dev/null").expect("null").ino(), peer: None };
    let expected = Exec {
        task: own::task(&exec.task, parent, child.id(), "sleep"),
        image: Image {
            exe: File::new(path, id.dev, id.ino),
            script: None,
            args: Args { list: ["/bin/sleep", "1000", "0"].map(Text::from).to_vec(), truncated: false },
            cwd: "/usr/share".into(),
            stdio: [null, Stdio { kind: StdioKind::Pipe, ino: out, peer: None }, null],
            env: Environment { list: vec!["HISTFILE=/dev/null".into()], truncated: false },
            layer: None,
            compat: false,
            gain: None,
        },
    };
    assert_eq!(exec.as_ref(), &expected);

    let me = events.iter().find(|e| is_me(e.header.process)).expect("so is this process");
    let Payload::Alive(exec) = &me.payload else { panic!("alive: {me:?}") };
    assert_eq!(exec.image.exe.id, file_id("/proc/self/exe"));
    assert_eq!(exec.image.args.list.len(), std::env::args().count());

    let mut known = HashSet::new();
    for event in &events {
        let Payload::Alive(exec) = &event.payload else { panic!("alive: {event:?}") };
        let all: bool = exec.task.parent.is_none_or(|p| known.contains(&p));
        assert!(all, "parents come first: {}", event.header.process);
        assert!(known.insert(event.header.process), "told twice: {}", event.header.process);
    }
    assert!(events.iter().any(|e| e.header.process.pid == 1), "the machine's first process");
}

/// While processes come and go at full speed, each one's beginning is told exactly once: as alive, or as forked.
#[test]
fn between_backfill_and_live_there_is_no_gap_and_no_double() {
    let done = AtomicBool::new(false);
    let events = std::thread::scope(|scope| {
        let _ends = Ends { done: &done, accepts_at: None };
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let mut child = Command::new("/bin/sh").args(["-c", "(:); :"]).spawn().expect("sh runs");
                child.wait().expect("it ends");
            }
        });
        sensor(&config()).map(|mut sensor| {
            let (mut events, mut unseen, started) = (sensor.backfill(), 0, Instant::now());
            // Go on until enough of what runs now has begun and ended.
            while events.iter().filter(|e| matches!(e.payload, Payload::Exit(_))).count() < 50 {
                assert!(started.elapsed() < PATIENCE, "processes end");
                unseen += skipped(&sensor.drain(&mut events));
                sensor.wait(Duration::from_millis(4)).expect("waits");
            }
            unseen += skipped(&sensor.flush(&mut events));
            (events, unseen)
        })
    });
    let Some((events, unseen)) = events else { return };
    let mut begun: HashMap<ProcessKey, usize> = HashMap::new();
    for event in &events {
        match &event.payload {
            Payload::Alive(_) => *begun.entry(event.header.process).or_default() += 1,
            Payload::Fork(fork) => *begun.entry(fork.child).or_default() += 1,
            // Of what was found with the image of a live exec, the exec tells.
            Payload::Exec(_) => {
                begun.entry(event.header.process).or_insert(1);
            }
            _ => {}
        }
    }
    let ended: Vec<&Event> = events.iter().filter(|e| matches!(e.payload, Payload::Exit(_))).collect();
    assert!(ended.len() >= 50);
    // The hook for forks is attached first: alone it tells of parents that nothing else could be told of.
    let is_fork = |e: &Event| matches!(e.payload, Payload::Fork(_));
    let mut without = HashSet::new();
    for event in events.iter().filter(|e| !e.header.process.is_unknown() && !is_fork(e)) {
        let (key, family) = (event.header.process, event.payload.family());
        match begun.get(&key) {
            Some(times) => assert_eq!(*times, 1, "{family} at {:?} of {key}", event.header.time),
            None => drop(without.insert(key)),
        }
    }
    assert!(without.len() <= unseen, "{unseen} runs were skipped, and of these no beginning was told: {without:?}");
    assert!(events.is_sorted_by_key(|e| e.header.time), "in order");
}
