//! Contenders by turns: whatever else the machine does, it does to all of them. Counted is the processor's time: while another program has it,
//! nobody's clock runs.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::{Contender, Group};

/// How long a turn of one contender takes at least.
const TURN: Duration = Duration::from_millis(1);

/// What was measured of one contender.
pub struct Measured {
    /// Median of its turns, in nanoseconds for one piece of work.
    pub nanoseconds: f64,
    /// Median over all rounds of its time by that of its floor in the same round.
    pub ratio: Option<f64>,
    /// How often one piece of work asks for memory.
    pub allocations: u64,
}

/// Measures a group for about so long.
pub fn measure(group: &mut Group, time: Duration) -> Vec<Measured> {
    let allocations: Vec<u64> = group.contenders.iter_mut().map(allocations).collect();
    let times: Vec<u32> = group.contenders.iter_mut().map(times).collect();
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    let start = Instant::now();
    let count = group.contenders.len();
    while rounds.len() < 5 || start.elapsed() < time {
        let mut round = vec![0.0; count];
        // Each begins a round once in so many: who comes after whom is no advantage.
        for at in (0..count).map(|place| (place + rounds.len()) % count) {
            round[at] = turn(&mut group.contenders[at], times[at]);
        }
        rounds.push(round);
    }
    let of = |at: usize| median(rounds.iter().map(|round| round[at]).collect());
    let at = |name: &str| group.contenders.iter().position(|contender| contender.name == name).expect("a floor has a name");
    let ratio = |at_own: usize, floor: usize| median(rounds.iter().map(|round| round[at_own] / round[floor]).collect());
    let measured = |(own, contender): (usize, &Contender)| Measured {
        nanoseconds: of(own),
        ratio: contender.floor.map(|floor| ratio(own, at(floor))),
        allocations: allocations[own],
    };
    group.contenders.iter().enumerate().map(measured).collect()
}

fn allocations(contender: &mut Contender) -> u64 {
    // What is made once and kept is not counted.
    (contender.run)();
    allocation_counter::measure(|| (contender.run)()).count_total
}

/// How often a contender does its work in a turn.
fn times(contender: &mut Contender) -> u32 {
    let mut times = 1;
    while turn_time(contender, times) < TURN {
        times *= 2;
    }
    times
}

fn turn(contender: &mut Contender, times: u32) -> f64 {
    turn_time(contender, times).as_nanos() as f64 / f64::from(times)
}

fn turn_time(contender: &mut Contender, times: u32) -> Duration {
    let start = processor_time();
    for _ in 0..times {
        (contender.run)();
    }
    processor_time().saturating_sub(start)
}

/// How long this thread has had the processor.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("no time before the start")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
