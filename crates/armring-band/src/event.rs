//! What happens to a band, and what it does.

use core::fmt;

use armring_pairing::Code;
use armring_wire::records::band::Awaited;
use armring_wire::{Amount, AttPayload, Digits, Outcome};

use crate::secret::Secret;
use crate::store::StoreKey;

/// What happens to a band. The host turns its interrupts into these.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A phone connected. One connection at a time: a second one while a pairing goes on is to be reported as well, and ends it.
    Connected(AttPayload),
    /// The connection is gone.
    Disconnected,
    /// A write of the phone: one fragment.
    Fragment(&'a [u8]),
    /// The band was put on, or is in touch with the skin again.
    PutOn,
    /// The band lost touch with the skin.
    TakenOff,
    /// A sensor that decides by itself, such as a fingerprint reader, recognised the wearer. It counts its own failures.
    Recognised,
    /// The wearer entered this to unlock the band. The band checks it, and counts wrong ones.
    Entered(Secret<'a>),
    /// The wearer chose this to unlock the band with from now on. The first one may be chosen by whoever holds the band, so it is best
    /// chosen before anything is enrolled; any other only while the band is unlocked on the band.
    Chosen(Secret<'a>),
    /// The wearer did this.
    Gesture(Gesture),
    /// The whole code was shown or played, as [`Signal::Code`] asked.
    CodeShown,
    /// What [`Output::Store`], [`Output::Erase`] or [`Output::EraseAll`] asked for is durable, and was read back.
    Stored,
    /// It is not, and will not be.
    StoreFailed,
    /// Time passed: at the latest at [`Band::deadline`](crate::Band::deadline).
    Tick,
}

/// What a wearer can do. Each means one thing, so that a press to pay never deletes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gesture {
    /// A press: pays what waits to be paid, or says that the code is the same on both.
    Press,
    /// Two presses: asks for money in the wearer's name.
    DoublePress,
    /// Held for 3 seconds: opens the pairing window.
    Hold,
    /// Says no to what waits, such as a code that differs: a shake, or any other button.
    Refuse,
    /// Three presses: forgets a link, or all others, which its wallet asked for.
    Unpair,
    /// Held for 15 seconds: erases links, credentials, payment keys, and what unlocks the band.
    Reset,
}

/// What a band wants done.
#[must_use = "what is not done is lost"]
pub enum Output<'a> {
    /// Send this fragment to the phone.
    Transmit(&'a [u8]),
    /// Store `value` under `key` in place of what is there, read it back, then report [`Event::Stored`] or [`Event::StoreFailed`]. Where it holds
    /// another [secret](StoreKey::secret_len) than what is there, that one is erased.
    Store {
        /// Where.
        key: StoreKey,
        /// What: holds secrets, and is to be kept where only the band reads it.
        value: &'a [u8],
    },
    /// Erase what was stored under `key`, if there is anything, so that no [secret](StoreKey::secret_len) in it can be read any more; then report as
    /// for [`Output::Store`].
    Erase {
        /// Where.
        key: StoreKey,
    },
    /// Erase everything that was stored, so that it cannot be read any more, then report as for [`Output::Store`]. In the order of
    /// [`StoreKey::all`] where it is not done at once.
    EraseAll,
    /// Tell the wearer.
    Signal(Signal),
    /// End the connection.
    Disconnect,
}

impl fmt::Debug for Output<'_> {
    /// Says how long a value is and nothing else: values hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit(fragment) => write!(f, "Transmit({} bytes)", fragment.len()),
            Self::Store { key, value } => write!(f, "Store({key:?}, {} bytes)", value.len()),
            Self::Erase { key } => write!(f, "Erase({key:?})"),
            Self::EraseAll => f.write_str("EraseAll"),
            Self::Signal(signal) => write!(f, "Signal({signal:?})"),
            Self::Disconnect => f.write_str("Disconnect"),
        }
    }
}

/// What the wearer is told, by a display, lights, or a motor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// The pairing window is open.
    PairingOpen,
    /// The pairing window is closed, and nobody was paired. A new gesture is needed.
    PairingClosed,
    /// Show this code, whole, then report [`Event::CodeShown`]; the wearer compares it with the wallet's.
    Code(Code),
    /// Both sides accepted: the link is made.
    Paired,
    /// Something waits for the wearer: for a payment, paid or received, with its amount.
    Waiting(Awaited, Option<Amount>),
    /// A token was signed without a gesture, within the credential's free limit.
    SignedFree(Amount),
    /// What waited is given up.
    Dropped,
    /// Show these digits; the wearer compares them with the issuer's own page, not with the wallet.
    EnrolmentDigits(Digits),
    /// The issuer answered a payment of the wearer's.
    Paid(Outcome, Amount),
    /// The wearer was paid.
    Received(Amount),
    /// What was entered is wrong, and there are so many tries left. At 0 nothing on the band unlocks it any more, until a reset.
    WrongSecret(u8),
    /// What the wearer chose unlocks the band from now on.
    SecretChosen,
    /// The band unlocked.
    Unlocked,
    /// The band locked.
    Locked,
    /// What could not be stored or drawn at random: the band did not do what it was asked.
    Fault,
    /// Somebody else has used the link of this wallet since it was last here: with a copy of what the phone, or the band, keeps. Unpair or
    /// replace it.
    UsedElsewhere,
    /// All links are taken: unpair or replace one, or reset the band.
    LinksFull,
    /// Links were forgotten, with everything that belonged to them.
    Unpaired,
    /// Everything was erased.
    Erased,
}
