//! All contenders with criterion, for whoever changes something: `cargo bench -- 'handshake XX'`. Tables and plots are made by turns, with
//! `cargo xtask bench`.

use armring_benches::Plan;
use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for group in armring_benches::all().into_iter().map(Plan::set_up) {
        let mut benches = criterion.benchmark_group(&group.name);
        for mut contender in group.contenders {
            benches.bench_function(contender.name, |bencher| bencher.iter(&mut contender.run));
        }
        benches.finish();
    }
    criterion.final_summary();
}
