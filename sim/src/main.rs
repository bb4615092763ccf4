//! Lives through simulated worlds until there were so many faults: `armring-sim --help`.
#![allow(clippy::print_stdout, reason = "it is what the program is for")]

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;
use std::thread;

use armring_sim::{Report, Rule, Shrunk, explore, notices};

const HELP: &str = "\
Lives through simulated worlds until enough faults have hit something unfinished, and checks that everything holds.

Usage: armring-sim [--faults N] [--seed S] [--threads T]
       armring-sim --rules N [--seed S]

  --faults N    until there were so many faults (1000000)
  --seed S      the first world's seed; the next one's is one more (drawn anew each time; 1 with --rules)
  --threads T   at the same time (as many as there are processors)
  --rules N     instead: leave out each rule in turn, in N worlds at most, and say what notices it

Prints the line that runs it again, and a histogram of what was hit by what. Where something does not hold, the line that replays that one world is
printed at once; then it is shrunk, which takes minutes, and ends with status 1.
";

fn main() -> ExitCode {
    let mut options = [("--faults", 1_000_000), ("--seed", 0), ("--threads", 0), ("--rules", 0)];
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if word == "--help" || word == "-h" {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        let value = words.next().and_then(|value| value.parse::<u64>().ok());
        match (options.iter_mut().find(|(name, _)| *name == word), value) {
            (Some(option), Some(value)) => option.1 = value,
            _ => {
                eprint!("error: `{word}` is not an option, or has no number\n\n{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    let [(_, faults), (_, seed), (_, threads), (_, worlds)] = options;
    if worlds > 0 {
        return rules(seed.max(1), worlds);
    }
    let processors = thread::available_parallelism().map_or(1, |number| number.get() as u64);
    let threads = if threads == 0 { processors } else { threads };
    // Small enough to be typed, and to be counted on from.
    let seed = if seed == 0 { RandomState::new().hash_one("armring") >> 24 } else { seed };
    eprintln!("again: cargo run -p armring-sim -- --faults {faults} --seed {seed} --threads {threads}");
    match in_parallel(faults, seed, threads) {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(shrunk) => {
            print!("{shrunk}");
            ExitCode::FAILURE
        }
    }
}

/// Leaves out each rule in turn.
fn rules(seed: u64, worlds: u64) -> ExitCode {
    let mut missed = false;
    for (rule, invariants, first) in Rule::ALL {
        let noticed = notices((*rule, invariants, first + seed - 1), worlds);
        let noticed = noticed.map(|(worlds, invariant)| format!("{invariant:?} in {worlds}"));
        missed |= noticed.is_none();
        println!("{:24} {}", format!("{rule:?}"), noticed.unwrap_or_else(|| "not noticed".to_owned()));
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn in_parallel(faults: u64, seed: u64, threads: u64) -> Result<Report, Box<Shrunk>> {
    let part = faults.div_ceil(threads);
    let one = |thread: u64| {
        let mut told = 0;
        explore(seed + thread, threads, part, &mut |had| {
            if had * 20 / part > told {
                told = had * 20 / part;
                eprintln!("{}: {had} of {part} faults", thread + 1);
            }
        })
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || one(thread))).collect();
        let parts = running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        parts.reduce(|one, other| Ok(one?.with(&other?))).unwrap_or_else(|| Ok(Report::default()))
    })
}
