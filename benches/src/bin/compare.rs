//! Measures all contenders by turns and prints one line each, with tabs: group, name, nanoseconds, floor, ratio, target, allocations.
//!
//! Its argument is how many milliseconds each group takes; after it may stand the names of those that are to be measured.

use std::time::Duration;

use armring_benches::turns::measure;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let time = Duration::from_millis(arguments.next().and_then(|time| time.parse().ok()).unwrap_or(3_000));
    let names: Vec<String> = arguments.collect();
    for plan in armring_benches::all() {
        if !names.is_empty() && !names.contains(&plan.name) {
            continue;
        }
        let mut group = plan.set_up();
        let measured = measure(&mut group, time);
        for (contender, measured) in group.contenders.iter().zip(measured) {
            let or = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
            let (floor, target) = (contender.floor.unwrap_or("-"), or(contender.target));
            println!(
                "{}\t{}\t{:.0}\t{floor}\t{}\t{target}\t{}",
                group.name,
                contender.name,
                measured.nanoseconds,
                or(measured.ratio),
                measured.allocations
            );
        }
    }
}
