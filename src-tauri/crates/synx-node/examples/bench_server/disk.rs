//! What the disk gives at this moment: the limit of whatever waits for it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const PROBE: Duration = Duration::from_millis(500);

/// Median time of a synced write of 4 KiB, in milliseconds.
pub fn sync_ms(folder: &Path) -> f64 {
    let path = folder.join("probe");
    let mut file = File::create(&path).unwrap();
    let (begin, mut took) = (Instant::now(), Vec::new());
    while begin.elapsed() < PROBE {
        let start = Instant::now();
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        took.push(start.elapsed());
    }
    std::fs::remove_file(path).unwrap();
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e3
}
