//! Prints what the sensor sees, a line an event, until interrupted or for some seconds:
//! `cargo run -p lanner-collector --example sensor_dump [SECONDS]`. Hooks and losses go to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::time::{Duration, Instant};

use lanner_collector::sensor::{Sensor, SensorConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let begun = Instant::now();
    let mut sensor = Sensor::load(&SensorConfig::default())?;
    eprintln!("loaded in {:?}", begun.elapsed());
    for hook in sensor.hooks() {
        eprintln!("{}: {:?}", hook.name, hook.state);
    }
    let mut events = sensor.backfill();
    while seconds.is_none_or(|s| begun.elapsed() < Duration::from_secs(s)) {
        for event in events.drain(..) {
            println!("{event:?}");
        }
        for loss in sensor.drain(&mut events) {
            eprintln!("{loss:?}");
        }
        sensor.wait(Duration::from_millis(4))?;
    }
    Ok(())
}
