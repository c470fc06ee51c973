//! Lanner's collector: the sensor's events, put in order and published.

pub mod sensor;
