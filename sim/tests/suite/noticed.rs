//! Worlds in which somebody leaves out a rule: that the world sees it shows that it can see.

use armring_sim::{Failure, Rule, Setup, live, notices, shrink};

/// The weightiest. `armring-sim --rules 6` leaves out each in turn.
const RULES: [Rule; 5] =
    [Rule::StoreBeforeSigning, Rule::CounterOutlivesPower, Rule::OneGestureOneRequest, Rule::FreshUnlock, Rule::OneAnswer];
/// Within how many worlds it is to be noticed.
const WORLDS: u64 = 6;

#[test]
fn a_rule_that_is_left_out_is_noticed_by_its_invariant() {
    let mut missed = Vec::new();
    for mutation in Rule::ALL.iter().filter(|mutation| RULES.contains(&mutation.0)) {
        let (rule, noticed) = (mutation.0, notices(*mutation, WORLDS));
        let line = noticed.map_or("never".to_owned(), |(worlds, invariant)| format!("{invariant:?} in {worlds}"));
        println!("{:24} {line}", format!("{rule:?}"));
        missed.extend(noticed.is_none().then_some(rule));
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_failure_is_shrunk_and_still_fails_in_the_same_way() {
    let setup = Setup { omits: Some(Rule::OneGestureOneRequest), ..Setup::of(1) };
    let failure: Box<Failure> = live(setup.clone()).unwrap_err();
    let shrunk = shrink(&setup, &failure);
    println!("{shrunk}");
    // Such a band needs no fault to pay with the press before.
    assert!(!failure.events.is_empty() && shrunk.events.is_empty(), "{shrunk}");
    let again = live(shrunk.setup.clone()).unwrap_err();
    assert_eq!((again.broken.invariant, &again.events), (failure.broken.invariant, &shrunk.events));
    assert!(shrunk.to_string().starts_with("cargo run -p armring-sim -- --faults 1 --seed 1 "), "one line that replays it");
}
