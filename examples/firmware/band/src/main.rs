//! A payment band as firmware for a Cortex-M4.
//!
//! ```text
//! main ──▶ run        the loop around `armring_band::Band`
//!            ├──▶ random     refuses to be without entropy
//!            ├──▶ identity   the band's own key
//!            └──▶ board      what the loop needs of a board ◀── mps2, the emulated one
//! ```

#![no_std]
#![no_main]

mod board;
mod identity;
mod mps2;
mod random;
mod run;

use core::panic::PanicInfo;

use cortex_m_rt::entry;

use mps2::Mps2;

#[entry]
fn main() -> ! {
    let Some(mut board) = Mps2::take() else { halt() };
    match run::run(&mut board) {
        Err(why) => board.refuse(why),
    }
}

/// Nothing in the protocol panics. Should something else, the band stops, and neither signs nor answers; its watchdog starts it anew.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    halt()
}

fn halt() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}
