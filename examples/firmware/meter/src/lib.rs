//! Counts instructions and measures the stack on an emulated Cortex-M4, for programs that are run to be measured and do nothing else.
//!
//! QEMU with `-icount shift=3` lets 8 ns pass with each instruction, and its SysTick counts 40 ns: one tick is five instructions, exactly and
//! always. Instructions are not cycles: a real Cortex-M4 takes one to three for most of them.

#![no_std]

use core::panic::PanicInfo;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_semihosting::{debug, hprintln};

/// Instructions for each tick of the emulated SysTick.
const PER_TICK: u32 = 5;
const TICKS: u32 = 0x00FF_FFFF;
const PAINT: u32 = 0xC5C5_C5C5;
/// What is left alone above the painted part, for the frame of whoever paints.
const SPARED: usize = 128;

unsafe extern "C" {
    /// The lowest address that the stack may reach (cortex-m-rt's link.x).
    static _stack_end: u32;
    /// Where it starts, at the other end.
    static _stack_start: u32;
}

/// The one meter.
pub struct Meter {
    /// Ticks that a measurement of nothing takes.
    overhead: u32,
}

impl Meter {
    /// Starts the counter.
    ///
    /// # Panics
    /// If somebody took the processor's peripherals before.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a measuring program stops where it cannot measure")]
    pub fn start() -> Self {
        let mut core = cortex_m::Peripherals::take().expect("one meter");
        core.SYST.set_clock_source(SystClkSource::Core);
        core.SYST.set_reload(TICKS);
        core.SYST.clear_current();
        core.SYST.enable_counter();
        let mut meter = Self { overhead: 0 };
        let (_, first) = meter.ticks(|| ());
        let (_, second) = meter.ticks(|| ());
        meter.overhead = first.max(second);
        meter
    }

    /// What `work` gives, and how many instructions it took, to within five; at most 83 million.
    pub fn count<R>(&self, work: impl FnOnce() -> R) -> (R, u32) {
        let (result, ticks) = self.ticks(work);
        (result, ticks.saturating_sub(self.overhead) * PER_TICK)
    }

    #[inline(never)]
    fn ticks<R>(&self, work: impl FnOnce() -> R) -> (R, u32) {
        let before = SYST::get_current();
        let result = work();
        let after = SYST::get_current();
        (result, before.wrapping_sub(after) & TICKS)
    }

    /// What `work` gives, and how many bytes of the stack below this call it used.
    #[inline(never)]
    pub fn stack<R>(&self, work: &mut dyn FnMut() -> R) -> (R, usize) {
        let here = cortex_m::register::msp::read() as usize;
        let lowest = &raw const _stack_end as usize;
        for address in (lowest..here.saturating_sub(SPARED)).step_by(4) {
            // SAFETY: between the end of the statics and the stack's pointer, less what this function needs, nothing is in use; interrupts, which
            // would use it, are not enabled.
            unsafe { (address as *mut u32).write_volatile(PAINT) };
        }
        let result = work();
        // SAFETY: the same words, of which `work` has returned.
        let untouched =
            (lowest..here).step_by(4).take_while(|at| unsafe { (*at as *const u32).read_volatile() } == PAINT).count();
        (result, here - lowest - untouched * 4)
    }

    /// How many bytes of the stack are in use here.
    #[inline(never)]
    #[must_use]
    pub fn depth(&self) -> usize {
        (&raw const _stack_start as usize).saturating_sub(cortex_m::register::msp::read() as usize)
    }

    /// Reports one thing that was measured; the tool that ran this reads the line.
    #[inline(never)]
    pub fn report(&self, name: &str, instructions: u32, stack: usize) {
        hprintln!("measured\t{}\t{}\t{}", name, instructions, stack);
    }

    /// Counts and measures `work`, which does the same each time it is called, and reports it.
    pub fn measure<R>(&self, name: &str, mut work: impl FnMut() -> R) -> R {
        let (_, stack) = self.stack(&mut work);
        let (result, instructions) = self.count(&mut work);
        self.report(name, instructions, stack);
        result
    }
}

/// Says that everything was measured, and ends the emulator.
pub fn finish() -> ! {
    hprintln!("done");
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::wfi();
    }
}
