//! What the test files share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod material;

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;

use proptest::test_runner::{Config, RngSeed};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A configuration that prints its seed, which the test harness shows where a test fails. To run a failure again:
/// `PROPTEST_RNG_SEED=<seed> cargo test <name of the test>`.
pub(crate) fn config() -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().hash_one("armring"),
    };
    println!("PROPTEST_RNG_SEED={seed}");
    Config { rng_seed: RngSeed::Fixed(seed), ..config }
}

/// The names of an enum's variants, in the order of their numbers on the wire, as serde's derive knows them.
pub(crate) fn variant_names<T: Deserialize<'static>>() -> &'static [&'static str] {
    match T::deserialize(Ask) {
        Err(Names(names)) => names,
        Ok(_) => &[],
    }
}

/// A deserializer that learns what enum it is asked for and gives nothing.
struct Ask;

#[derive(Debug)]
struct Names(&'static [&'static str]);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Names {}

impl Error for Names {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Ask {
    type Error = Names;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
        Err(Names(&[]))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Names> {
        Err(Names(variants))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}
