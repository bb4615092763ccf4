//! Worlds in which everybody keeps to the rules but those who attack them.

use std::hash::{BuildHasher, RandomState};

use armring_sim::{Report, Setup, explore, live};

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Each run draws its own seed, and says it. `SIM_SEED=<number>` begins there, `SIM_FAULTS=<number>` goes on for longer.
#[test]
fn worlds_hold_whatever_goes_wrong() {
    let (seed, faults) = (number("SIM_SEED", RandomState::new().hash_one("armring") >> 24), number("SIM_FAULTS", 50_000));
    println!("SIM_SEED={seed}");
    let one = |first| explore(first, 2, faults.div_ceil(2), &mut |_| {}).unwrap_or_else(|shrunk| panic!("{shrunk}"));
    let parts: Vec<Report> = std::thread::scope(|scope| {
        let threads: Vec<_> = [seed, seed + 1].into_iter().map(|first| scope.spawn(move || one(first))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let report = parts[0].clone().with(&parts[1]);
    println!("{report}");
    // A test that passes is not heard: `cargo xtask test` shows this.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/simulated_world.txt"), report.to_string()).unwrap();
    let all = report.histogram.total();
    assert!(all >= faults && report.settled > 0 && report.refunded > 0);
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let [one, other] = [(); 2].map(|()| live(Setup { errands: 6, ..Setup::of(7) }).unwrap());
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
