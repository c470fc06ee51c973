//! Prints what the sensor sees, a line an event, until interrupted: `cargo run -p lanner-collector --example sensor_dump`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::time::Duration;

use lanner_collector::sensor::{Sensor, SensorConfig, SensorError};

fn main() -> Result<(), SensorError> {
    let mut sensor = Sensor::load(&SensorConfig::default())?;
    for hook in sensor.hooks() {
        eprintln!("{hook:?}");
    }
    for event in sensor.backfill() {
        println!("{event:?}");
    }
    let mut events = Vec::new();
    loop {
        for loss in sensor.drain(&mut events) {
            eprintln!("{loss:?}");
        }
        for event in events.drain(..) {
            println!("{event:?}");
        }
        if sensor.wait(Duration::from_millis(4)).is_err() {
            return Ok(());
        }
    }
}
