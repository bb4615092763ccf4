//! The emulated board: QEMU's `mps2-an386`, a Cortex-M4 with UARTs. What an emulator has to do for a radio, a button, lights and a motor, a flash
//! and a source of entropy is in this folder.

mod face;
mod flash;
mod radio;
mod uart;

use core::ops::Range;

use armring_band::Signal;
use armring_wire::{ATT_PAYLOAD_MAX, Uptime};
use cortex_m::peripheral::SCB;
use cortex_m::peripheral::syst::SystClkSource;

use crate::board::{Board, Fault, Happened};

use face::{Entered, Face};
use flash::{FLASH, Flash, PAGE};
use radio::{DISCONNECTED, Radio};
use uart::{Port, Uart};

/// A counter of hundredths of a second (Application Note AN386 §4.2, FPGAIO `CLK100HZ`).
const CLOCK_100HZ: *const u32 = 0x4002_8014 as *const u32;
/// The processor's clock runs at 25 MHz: so many ticks in a hundredth of a second.
const TICKS_PER_WAKING: u32 = 250_000;
/// Where the factory writes the issuer's root key: behind the firmware, as an nRF52840 has its UICR.
const FACTORY: *const [u8; 32] = 0x0003_F000 as *const [u8; 32];

/// The board, of which there is one.
pub(crate) struct Mps2 {
    radio: Uart,
    frames: Radio,
    /// Whether a phone is connected: each connection ends with one message each way.
    connected: bool,
    face: Face,
}

impl Mps2 {
    /// The board, switched on; `None` for whoever asks a second time. The processor wakes a hundred times a second, and takes no interrupts.
    pub(crate) fn take() -> Option<Self> {
        let mut core = cortex_m::Peripherals::take()?;
        cortex_m::interrupt::disable();
        core.SYST.set_clock_source(SystClkSource::Core);
        core.SYST.set_reload(TICKS_PER_WAKING - 1);
        core.SYST.clear_current();
        core.SYST.enable_interrupt();
        core.SYST.enable_counter();
        Some(Self {
            radio: Uart::open(Port::Radio),
            frames: Radio::new(),
            connected: false,
            face: Face::new(Uart::open(Port::Face)),
        })
    }

    /// Says why nothing is done, and does nothing, for good.
    pub(crate) fn refuse(mut self, why: Fault) -> ! {
        self.complain(match why {
            Fault::Randomness => "no randomness: nothing is done",
            Fault::Flash => "the flash cannot be used: nothing is done",
            Fault::Factory => "no root key from the factory: nothing is done",
        });
        loop {
            cortex_m::asm::wfi();
            self.rest();
        }
    }

    /// Takes back whatever woke the processor.
    fn rest(&self) {
        self.radio.rest();
        self.face.uart().rest();
        SCB::clear_pendst();
    }
}

impl Board for Mps2 {
    type Flash = Flash;

    const IDENTITY: Range<u32> = 0..PAGE;
    const STATE: Range<u32> = PAGE..FLASH;

    fn now(&self) -> Uptime {
        // SAFETY: the board has a readable register there, and reading it touches no memory of the program's.
        let hundredths = unsafe { CLOCK_100HZ.read_volatile() };
        Uptime::from_millis(u64::from(hundredths).saturating_mul(10))
    }

    fn entropy(&mut self) -> Result<[u8; 32], Fault> {
        self.face.entropy().ok_or(Fault::Randomness)
    }

    fn root(&self) -> [u8; 32] {
        // SAFETY: the board has memory there, 4 KB beyond what memory.x gives to the program, so that nothing writes it while this runs; any
        // bytes are a value of this type.
        unsafe { FACTORY.read_volatile() }
    }

    fn wait(&mut self, deadline: Option<Uptime>, fragment: &mut [u8]) -> Happened {
        loop {
            // Whatever came before this is seen below; whatever comes after it wakes.
            self.rest();
            match self.radio.receive().and_then(|byte| self.frames.take(byte, fragment)) {
                // The answer to the band's own end of the connection.
                Some(Happened::Disconnected) if !self.connected => {}
                Some(Happened::Disconnected) => {
                    self.disconnect();
                    return Happened::Disconnected;
                }
                Some(happened) => {
                    self.connected |= matches!(happened, Happened::Connected(_));
                    return happened;
                }
                None => {}
            }
            match self.face.entered() {
                Some(Entered::Happened(happened)) => return happened,
                Some(Entered::Stack) => self.face.say_number("stack", u64::from(stack_used())),
                None => {}
            }
            if deadline.is_some_and(|deadline| deadline <= self.now()) {
                return Happened::Nothing;
            }
            if self.radio.is_empty() && self.face.uart().is_empty() {
                cortex_m::asm::wfi();
            }
        }
    }

    fn notify(&mut self, fragment: &[u8]) {
        // Never longer than an ATT payload.
        let len = u16::try_from(fragment.len().min(ATT_PAYLOAD_MAX)).unwrap_or_default();
        for byte in len.to_le_bytes().iter().chain(fragment) {
            self.radio.send(*byte);
        }
    }

    fn disconnect(&mut self) {
        self.connected = false;
        DISCONNECTED.to_le_bytes().iter().for_each(|byte| self.radio.send(*byte));
    }

    fn show(&mut self, signal: Signal) {
        self.face.show(signal);
    }

    fn done(&mut self) {
        self.face.say("ok");
    }

    fn complain(&mut self, what: &str) {
        self.face.say_of("complaint", what);
    }

    fn flash(&mut self) -> Result<Flash, Fault> {
        Flash::open()
    }
}

unsafe extern "C" {
    /// The lowest address of the stack: the end of what the program keeps in statics (cortex-m-rt's link.x).
    static _stack_end: u32;
    /// Its highest, where it starts.
    static _stack_start: u32;
}

/// How many bytes of the stack were ever used: cortex-m-rt painted it before `main`.
fn stack_used() -> u32 {
    let (end, start) = (&raw const _stack_end, &raw const _stack_start);
    let mut lowest = end;
    // SAFETY: between the two symbols there is the stack and nothing else, in whole words; the loop stays below its start, and reads what
    // other functions may be using as plain words.
    while lowest < start && unsafe { lowest.read_volatile() } == cortex_m_rt::STACK_PAINT_VALUE {
        lowest = lowest.wrapping_add(1);
    }
    u32::try_from((start as usize).saturating_sub(lowest as usize)).unwrap_or(u32::MAX)
}
