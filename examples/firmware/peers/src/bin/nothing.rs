//! Measures nothing: what the others' images have of flash beyond this one's is theirs.

#![no_std]
#![no_main]

use armring_meter::{Meter, finish};
use armring_peers::Side;
use cortex_m_rt::entry;

#[entry]
fn main() -> ! {
    Side::default().report(&Meter::start(), "nothing");
    finish()
}
