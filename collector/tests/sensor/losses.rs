//! What does not fit is counted.

use std::time::Instant;

use lanner_collector::sensor::SensorConfig;
use lanner_core::event::{Loss, LossCause, Payload};

use super::stage::{PATIENCE, config, perform, sensor, shell, stage};

#[test]
fn what_a_full_ring_turned_away_is_counted() {
    const OPENS: u64 = 400;
    let Some(stage) = stage() else { return };
    let Some(mut small) = sensor(&SensorConfig { ring_bytes: 4096, ..config() }) else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let script = format!("i=0; while [ $i -lt {OPENS} ]; do : > {}/f$i; i=$((i+1)); done", dir.path().display());
    let (pid, life) = perform(stage, &mut shell(&script));
    let told = life.iter().filter(|e| matches!(e.payload, Payload::Open(_))).count() as u64;
    assert_eq!(told, OPENS, "the big ring has them all");

    let mut events = Vec::new();
    let mut losses = small.flush(&mut events);
    // That, anybody on the machine can bring about.
    losses.retain(|loss| loss.cause != LossCause::Skipped);
    let kept =
        events.iter().filter(|e| e.header.process.pid == pid && matches!(e.payload, Payload::Open(_))).count() as u64;
    let [Loss { cause: LossCause::RingFull, count }] = losses[..] else { panic!("one cause: {losses:?}") };
    assert!(kept < OPENS);
    assert!(count >= OPENS - kept, "{count} lost, {kept} of {OPENS} kept");
    // Told once, not again and again; what others do meanwhile is new.
    let begun = Instant::now();
    while small.flush(&mut events).iter().map(|loss| loss.count).sum::<u64>() >= count {
        assert!(begun.elapsed() < PATIENCE, "{count} are told again and again");
    }
}
