//! The UART of the emulated board (ARM CMSDK APB UART, DDI 0479D §4.3).

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

/// Word offsets of its registers.
const DATA: usize = 0;
const STATE: usize = 1;
const CONTROL: usize = 2;
const INTERRUPT_CLEAR: usize = 3;
const BAUD_DIVIDER: usize = 4;

const TRANSMITTER_FULL: u32 = 1 << 0;
const RECEIVER_FULL: u32 = 1 << 1;
const TRANSMITTER_ON: u32 = 1 << 0;
const RECEIVER_ON: u32 = 1 << 1;
const RECEIVER_INTERRUPT: u32 = 1 << 3;

/// Which UART.
#[derive(Clone, Copy)]
pub(crate) enum Port {
    /// The first: the radio.
    Radio,
    /// The second: the face.
    Face,
}

/// The interrupt of a receiver.
#[derive(Clone, Copy)]
struct Received(u16);

// SAFETY: the numbers that `Port::interrupt` gives are those of the board's vector table, below its 32 interrupts.
unsafe impl InterruptNumber for Received {
    fn number(self) -> u16 {
        self.0
    }
}

impl Port {
    const fn base(self) -> *mut u32 {
        match self {
            Self::Radio => 0x4000_4000 as *mut u32,
            Self::Face => 0x4000_5000 as *mut u32,
        }
    }

    const fn interrupt(self) -> Received {
        match self {
            Self::Radio => Received(0),
            Self::Face => Received(2),
        }
    }
}

/// One UART, switched on.
pub(crate) struct Uart {
    port: Port,
}

impl Uart {
    /// Switches it on. Its interrupt wakes the processor and is never taken: see [`Self::rest`].
    pub(crate) fn open(port: Port) -> Self {
        let uart = Self { port };
        uart.write(BAUD_DIVIDER, 16);
        uart.write(CONTROL, TRANSMITTER_ON | RECEIVER_ON | RECEIVER_INTERRUPT);
        // SAFETY: interrupts are masked for as long as the firmware runs, so that no handler, and no critical section, is affected.
        unsafe { NVIC::unmask(port.interrupt()) };
        uart
    }

    /// Sends a byte, once there is room for it.
    pub(crate) fn send(&self, byte: u8) {
        while self.read(STATE) & TRANSMITTER_FULL != 0 {}
        self.write(DATA, u32::from(byte));
    }

    /// The byte that came, if one did.
    pub(crate) fn receive(&self) -> Option<u8> {
        let [byte, ..] = (!self.is_empty()).then(|| self.read(DATA))?.to_le_bytes();
        Some(byte)
    }

    /// Whether no byte came.
    pub(crate) fn is_empty(&self) -> bool {
        self.read(STATE) & RECEIVER_FULL == 0
    }

    /// Takes back what woke the processor. Whoever calls it looks for a byte afterwards: one that came in between wakes nobody.
    pub(crate) fn rest(&self) {
        self.write(INTERRUPT_CLEAR, 0b1111);
        NVIC::unpend(self.port.interrupt());
    }

    fn read(&self, register: usize) -> u32 {
        // SAFETY: `base` is where the board has a UART, five words long, and `register` is one of the offsets above. The port was made one of
        // these by `open`, and reading a register touches no memory of the program's.
        unsafe { self.port.base().add(register).read_volatile() }
    }

    fn write(&self, register: usize, value: u32) {
        // SAFETY: as in `read`.
        unsafe { self.port.base().add(register).write_volatile(value) }
    }
}
