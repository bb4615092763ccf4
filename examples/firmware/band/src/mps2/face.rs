//! A line of text in place of lights and motor, a byte in place of a button and a sensor. On a UART of its own.

use armring_band::{Gesture, Signal};

use super::uart::Uart;
use crate::board::Happened;

/// What was entered.
pub(crate) enum Entered {
    /// By the wearer.
    Happened(Happened),
    /// Whoever measures asks how much of the stack was ever used.
    Stack,
}

/// What the wearer sees and touches.
pub(crate) struct Face {
    uart: Uart,
}

impl Face {
    pub(crate) const fn new(uart: Uart) -> Self {
        Self { uart }
    }

    pub(crate) const fn uart(&self) -> &Uart {
        &self.uart
    }

    /// Asks the other end for entropy, which an emulator has none of: `S` and 32 bytes; anything else is a generator that failed.
    pub(crate) fn entropy(&self) -> Option<[u8; 32]> {
        self.say("seed?");
        if self.next() != b'S' {
            return None;
        }
        Some([(); 32].map(|()| self.next()))
    }

    fn next(&self) -> u8 {
        loop {
            self.uart.rest();
            if let Some(byte) = self.uart.receive() {
                return byte;
            }
            cortex_m::asm::wfi();
        }
    }

    /// What was entered, if anything was.
    pub(crate) fn entered(&self) -> Option<Entered> {
        Some(Entered::Happened(match self.uart.receive()? {
            b'+' => Happened::Skin(true),
            b'-' => Happened::Skin(false),
            b't' => Happened::Tapped,
            b'p' => Happened::Gesture(Gesture::Press),
            b'd' => Happened::Gesture(Gesture::DoublePress),
            b'h' => Happened::Gesture(Gesture::Hold),
            b'n' => Happened::Gesture(Gesture::Refuse),
            b'u' => Happened::Gesture(Gesture::Unpair),
            b'r' => Happened::Gesture(Gesture::Reset),
            b's' => return Some(Entered::Stack),
            _ => return None,
        }))
    }

    /// One line for each signal: a word, and what belongs to it. Text is not formatted by `core::fmt`, which would cost flash.
    pub(crate) fn show(&self, signal: Signal) {
        match signal {
            Signal::PairingOpen => self.say("pairing-open"),
            Signal::PairingClosed => self.say("pairing-closed"),
            Signal::Code(code) => self.say_number("code", u64::from(code.digits().number())),
            Signal::Paired => self.say("paired"),
            Signal::Waiting(_, None) => self.say("waiting"),
            Signal::Waiting(_, Some(amount)) => self.say_number("waiting", amount.minor()),
            Signal::SignedFree(amount) => self.say_number("signed-free", amount.minor()),
            Signal::Dropped => self.say("dropped"),
            Signal::EnrolmentDigits(digits) => self.say_number("digits", u64::from(digits.number())),
            Signal::Paid(outcome, amount) if outcome.is_settled() => self.say_number("paid", amount.minor()),
            Signal::Paid(_, amount) => self.say_number("refused", amount.minor()),
            Signal::Received(amount) => self.say_number("received", amount.minor()),
            Signal::WrongSecret(left) => self.say_number("wrong-secret", u64::from(left)),
            Signal::SecretChosen => self.say("secret-chosen"),
            Signal::Unlocked => self.say("unlocked"),
            Signal::Locked => self.say("locked"),
            Signal::Fault => self.say("fault"),
            Signal::UsedElsewhere => self.say("used-elsewhere"),
            Signal::LinksFull => self.say("links-full"),
            Signal::Unpaired => self.say("unpaired"),
            Signal::Erased => self.say("erased"),
            _ => self.say("?"),
        }
    }

    pub(crate) fn say(&self, line: &str) {
        self.put(line);
        self.uart.send(b'\n');
    }

    pub(crate) fn say_of(&self, what: &str, which: &str) {
        self.put(what);
        self.uart.send(b' ');
        self.say(which);
    }

    pub(crate) fn say_number(&self, what: &str, number: u64) {
        self.put(what);
        self.uart.send(b' ');
        let (mut place, mut started) = (10_000_000_000_000_000_000u64, false);
        while place > 0 {
            let digit = u8::try_from(number / place % 10).unwrap_or_default();
            started |= digit != 0 || place == 1;
            if started {
                self.uart.send(b'0'.saturating_add(digit));
            }
            place /= 10;
        }
        self.uart.send(b'\n');
    }

    fn put(&self, text: &str) {
        text.bytes().for_each(|byte| self.uart.send(byte));
    }
}
