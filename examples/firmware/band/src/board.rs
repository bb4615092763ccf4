//! What the firmware needs of a board. Whoever has another one writes this trait anew, and nothing else.

use core::ops::Range;

use armring_band::{Gesture, Signal};
use armring_flash::MultiwriteNorFlash;
use armring_wire::{AttPayload, Uptime};

/// What happened on the board.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    /// A phone connected; a notification carries this many bytes.
    Connected(AttPayload),
    /// The phone wrote so many bytes, which lie at the front of the buffer.
    Fragment(usize),
    /// The phone is gone.
    Disconnected,
    /// The sensor feels skin, or no longer does.
    Skin(bool),
    /// The wearer did this.
    Gesture(Gesture),
    /// The wearer tapped this board's pattern.
    Tapped,
    /// The deadline is here, or something woke the board for nothing.
    Nothing,
}

/// The machine cannot do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no entropy, or it is not fit for use. Nothing is done without it.
    Randomness,
    /// The flash holds what cannot be read, or does not take what is written.
    Flash,
    /// The board was not given what its factory writes into it.
    Factory,
}

/// A board: its radio, its clock, its source of entropy, its flash, and whatever the wearer sees and touches.
pub(crate) trait Board {
    /// The microcontroller's own flash, which is handed out once.
    type Flash: MultiwriteNorFlash;

    /// The page in which the band's X25519 key is kept. Of no use to a board that keeps it in a secure element.
    const IDENTITY: Range<u32>;

    /// The pages in which the band keeps its state: whole pages that nothing else uses, 4 of 4 KB at least.
    const STATE: Range<u32>;

    /// The time since the start. It does not go backwards and does not wrap.
    fn now(&self) -> Uptime;

    /// 32 bytes of entropy that nobody else knows and that never come again, from a hardware generator that tests itself. Asked for once, at
    /// the start.
    ///
    /// # Errors
    /// [`Fault::Randomness`] where the generator fails its tests. The firmware then does nothing at all.
    fn entropy(&mut self) -> Result<[u8; 32], Fault>;

    /// The root key of the issuer, 32 bytes, as the factory wrote it.
    fn root(&self) -> [u8; 32];

    /// Sleeps until something happens, or until `deadline`. What the phone wrote goes to `fragment`.
    fn wait(&mut self, deadline: Option<Uptime>, fragment: &mut [u8]) -> Happened;

    /// Sends the phone a notification.
    fn notify(&mut self, fragment: &[u8]);

    /// Ends the connection.
    fn disconnect(&mut self);

    /// Tells the wearer.
    fn show(&mut self, signal: Signal);

    /// The whole of what happened last is done.
    fn done(&mut self);

    /// Something was not as it must be: a line for whoever debugs the band.
    fn complain(&mut self, what: &str);

    /// The flash. Asked for once.
    ///
    /// # Errors
    /// [`Fault::Flash`] where there is none, or somebody has it already.
    fn flash(&mut self) -> Result<Self::Flash, Fault>;
}
