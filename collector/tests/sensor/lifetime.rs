//! Beginning and ending.

use std::time::{Duration, Instant};

use super::stage::{config, kernel, sensor};

/// More than closing takes where nothing is waited for, and less than two of the hooks that the kernel waits for.
const NO_TIME: Duration = Duration::from_millis(100);

#[test]
fn letting_go_of_all_hooks_takes_no_time() {
    let version = kernel();
    let mut took = Duration::MAX;
    // Other tests keep the machine busy.
    for _ in 0..3 {
        let Some(sensor) = sensor(&config()) else { return };
        let begun = Instant::now();
        drop(sensor);
        took = took.min(begun.elapsed());
        if took < NO_TIME {
            break;
        }
    }
    // Kernels before that wait for each hook while we do.
    assert!(took < NO_TIME || version < (6, 5), "{took:?} on Linux {version:?}");
}
