//! Power cuts: at every operation of the flash and at everything else that happens, in whatever a band and its phones do, with writes and
//! erasings of which anything may have got in. Then the band starts again on the same flash.

mod after;
mod cutter;
mod disk;
mod facts;
#[allow(dead_code, reason = "one for all tests")]
#[path = "../../../../armring-wallet/tests/suite/common/issuer.rs"]
mod issuer;
mod life;
mod people;
mod tokens;
mod world;

use std::collections::BTreeMap;

use armring_band::Face;

use crate::common::seed;
use after::Broken;
use cutter::{Count, Cutter};
use disk::Order;
use life::Life;
use world::Setup;

const FACES: [(Face, Option<[u8; 32]>); 3] = [(Face::Lights, Some([9; 32])), (Face::Display, None), (Face::Button, None)];

/// Lives with bands of all faces until there were so many cuts, or what is looked for is found.
fn cut(mut cutter: Cutter, seed: u64, order: Order, rounds: usize) -> Cutter {
    for (life, (face, label)) in FACES.into_iter().cycle().enumerate() {
        if cutter.is_done() {
            break;
        }
        Life::new(Setup { face, label, order }, seed.wrapping_add(life as u64), &mut cutter).live(rounds);
    }
    cutter
}

/// `POWER_CUTS=<number>` cuts more often, or less.
#[test]
fn power_cut_anywhere_loses_nothing_that_was_promised() {
    let seed = seed();
    let cuts: usize = std::env::var("POWER_CUTS").ok().and_then(|cuts| cuts.parse().ok()).unwrap_or(100_000);
    let one = |seed| cut(Cutter::new(seed, cuts.div_ceil(2), 300), seed, Order::Right, 40).counts;
    let counts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = [seed, !seed].into_iter().map(|seed| scope.spawn(move || one(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut flows: BTreeMap<&str, Count> = BTreeMap::new();
    for (flow, count) in counts.iter().flatten() {
        *flows.entry(flow).or_default() += *count;
        *flows.entry("~ all").or_default() += *count;
    }
    let table = table(seed, &flows);
    println!("{table}");
    // A test that passes is not heard: `cargo xtask test` shows this.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/power_cuts.txt"), &table).unwrap();
    assert!(flows["~ all"].cuts >= cuts && flows.len() > 20, "every flow was cut");
    assert!(flows.values().all(|count| count.cuts >= cuts / 2_000), "and often");
}

/// Of each flow: how often power was cut in it, how many different flashes that left, how many of the states were lived on with, and in how many of
/// these it was cut again.
fn table(seed: u64, flows: &BTreeMap<&str, Count>) -> String {
    let mut table = format!("seed {seed}\n{:20} {:>7} {:>7} {:>7} {:>7}\n", "flow", "cuts", "left", "lived", "again");
    for (flow, Count { cuts, left, lived, again }) in flows {
        table += &format!("{flow:20} {cuts:7} {left:7} {lived:7} {again:7}\n");
    }
    table
}

/// Whether this order is noticed, by what it has to be noticed by.
fn is_noticed(order: Order, by: fn(&Broken) -> bool) {
    // There are few erasings, and all that a mark is for is in them.
    let only_erasings = order == Order::NeverMarks;
    let mut cutter = Cutter::new(7, if only_erasings { 1_000 } else { 12_000 }, 200);
    (cutter.looks_for, cutter.only_erasings) = (Some(by), only_erasings);
    let cutter = cut(cutter, 7, order, 12);
    println!("{order:?}: {:?} after {} cuts", cutter.broken.last(), cutter.cuts());
    assert!(cutter.has_found(), "{order:?} in {} cuts: {:?}", cutter.cuts(), cutter.broken);
}

#[test]
fn storing_in_a_wrong_order_is_noticed() {
    is_noticed(Order::AcknowledgesFirst, |broken| matches!(broken, Broken::Tries));
    is_noticed(Order::AcknowledgesFirst, |broken| matches!(broken, Broken::Receipt));
    is_noticed(Order::AcknowledgesFirst, |broken| matches!(broken, Broken::Link(_)));
    is_noticed(Order::SignsFirst, |broken| matches!(broken, Broken::Counter));
    is_noticed(Order::CountsInMemory, |broken| matches!(broken, Broken::Counter));
    is_noticed(Order::ForgetsFree, |broken| matches!(broken, Broken::Free));
    is_noticed(Order::ErasesFirst, |broken| matches!(broken, Broken::Link(_)));
    is_noticed(Order::ErasesBackwards, |broken| matches!(broken, Broken::Counter));
    is_noticed(Order::WalletKeepsLate, |broken| matches!(broken, Broken::Alarm));
}

#[test]
fn flash_without_marks_and_purges_is_noticed() {
    is_noticed(Order::NeverPurges, |broken| matches!(broken, Broken::Secret(_)));
    is_noticed(Order::NeverMarks, |broken| matches!(broken, Broken::Link(_) | Broken::Credential(_) | Broken::Pin));
}
