//! Beginning and ending.

use std::time::{Duration, Instant};

use super::stage::{PATIENCE, config, kernel, sensor};

/// More than closing takes where nothing is waited for, and less than two of the hooks that the kernel waits for.
const NO_TIME: Duration = Duration::from_millis(100);

#[test]
fn letting_go_of_all_hooks_takes_no_time() {
    // Kernels before that wait for each hook while we do.
    if kernel() < (6, 5) {
        return lanner_tests::not_here("this kernel takes its time for each hook");
    }
    let begun = Instant::now();
    // Other tests keep the machine busy: once is enough.
    loop {
        let Some(sensor) = sensor(&config()) else { return };
        let ends = Instant::now();
        drop(sensor);
        let took = ends.elapsed();
        if took < NO_TIME {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "it takes {took:?}");
    }
}
