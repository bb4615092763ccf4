//! trial
fn main() {
    let seed: u64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let count: u64 = std::env::args().nth(2).and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut all = armring_sim::Histogram::default();
    let start = std::time::Instant::now();
    for seed in seed..seed + count {
        match armring_sim::live(armring_sim::Setup::of(seed)) {
            Ok(o) => {
                all.add(&o.histogram);
                println!(
                    "{seed} {:?}: {} settled {} refunded {} faults {} ms",
                    start.elapsed(),
                    o.settled,
                    o.refunded,
                    o.histogram.total(),
                    o.time
                )
            }
            Err(f) => {
                println!("{seed} FAIL at {} after {} faults: {:?} {}", f.at, f.events.len(), f.broken.invariant, f.broken.detail);
            }
        }
    }
    println!("{all}");
}
