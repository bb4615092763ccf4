//! The loop that drives a band: what happened goes in, what it wants done comes out.

use core::convert::Infallible;

use armring_band::{Band, Error, Event, Output, Secret, Signal, SoftwareKeys, StoreKey, VALUE_MAX};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::ATT_PAYLOAD_MAX;
use chacha20::ChaCha20Rng;
use zeroize::{Zeroize, Zeroizing};

use crate::board::{Board, Fault, Happened};
use crate::random::seeded;

/// Where the band's X25519 key is stored. Real hardware keeps it where it cannot be read: `armring_pairing::DiffieHellman` is that hook, and
/// `armring_band::PaymentKeys` the one for the payment keys.
const IDENTITY: u8 = 0x00;

/// What this board's wearer taps: short, long, short, short.
const PATTERN: &[u8] = &[1, 2, 1, 1];

type SoftwareBand = Band<SoftwareKey, SoftwareKeys>;

/// Runs a band on `board`.
///
/// # Errors
/// What the board cannot do at the start. Later faults are told to the wearer, and the band goes on.
pub(crate) fn run(board: &mut impl Board) -> Result<Infallible, Fault> {
    let mut rng = seeded(board)?;
    let root = RootKey::from_bytes(board.root()).ok_or(Fault::Factory)?;
    let mut band = Band::new(identity(board, &mut rng)?, SoftwareKeys, root);
    load(&mut band, board)?;
    board.done();
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    loop {
        let happened = board.wait(band.deadline(), &mut fragment);
        let pattern = Secret::tap_pattern(PATTERN);
        let event = match (happened, pattern) {
            (Happened::Connected(payload), _) => Event::Connected(payload),
            (Happened::Fragment(len), _) => Event::Fragment(fragment.get(..len).unwrap_or_default()),
            (Happened::Disconnected, _) => Event::Disconnected,
            (Happened::Skin(true), _) => Event::PutOn,
            (Happened::Skin(false), _) => Event::TakenOff,
            (Happened::Gesture(gesture), _) => Event::Gesture(gesture),
            // The first pattern is chosen, and at once entered.
            (Happened::Tapped, Some(pattern)) if band.unlocking().is_none() => {
                happens(&mut band, Event::Chosen(pattern), board, &mut rng);
                Event::Entered(pattern)
            }
            (Happened::Tapped, Some(pattern)) => Event::Entered(pattern),
            (Happened::Tapped | Happened::Nothing, _) => Event::Tick,
        };
        happens(&mut band, event, board, &mut rng);
        if !matches!(happened, Happened::Nothing) {
            board.done();
        }
    }
}

/// The band's own key, made at the first start.
fn identity(board: &mut impl Board, rng: &mut ChaCha20Rng) -> Result<SoftwareKey, Fault> {
    let mut value = Zeroizing::new([0; VALUE_MAX]);
    if let Some(len) = board.read(IDENTITY, &mut value)? {
        let stored = value.get(..len).and_then(|value| value.try_into().ok()).ok_or(Fault::Flash)?;
        return Ok(SoftwareKey::new(stored));
    }
    let key = SoftwareKey::generate(rng).map_err(|_| Fault::Randomness)?;
    board.write(IDENTITY, key.expose())?;
    Ok(key)
}

/// Hands the band what it stored before.
fn load(band: &mut SoftwareBand, board: &mut impl Board) -> Result<(), Fault> {
    let mut value = Zeroizing::new([0; VALUE_MAX]);
    for key in StoreKey::all() {
        if let Some(len) = board.read(key.as_u8(), &mut value)? {
            // A band that lost a token would count anew: it does not run.
            band.load(key, value.get(..len).ok_or(Fault::Flash)?).map_err(|_| Fault::Flash)?;
        }
    }
    Ok(())
}

/// Reports an event to the band and does all that it wants done, and all that follows from that.
fn happens(band: &mut SoftwareBand, event: Event<'_>, board: &mut impl Board, rng: &mut ChaCha20Rng) {
    let mut next = handle(band, event, board, rng);
    while let Some(event) = next {
        next = handle(band, event, board, rng);
    }
}

/// One event and its outputs. Gives the event that the outputs led to, if one did.
fn handle(band: &mut SoftwareBand, event: Event<'_>, board: &mut impl Board, rng: &mut ChaCha20Rng) -> Option<Event<'static>> {
    let now = board.now();
    if let Err(error) = band.handle(event, now, rng) {
        board.complain(blamed(error));
    }
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    let mut next = None;
    while let Some(output) = band.poll(&mut fragment) {
        match output {
            Output::Transmit(bytes) => board.notify(bytes),
            Output::Store { key, value } => next = Some(stored(board.write(key.as_u8(), value))),
            Output::Erase { key } => next = Some(stored(board.erase(key.as_u8()))),
            Output::EraseAll => {
                let mut erased = StoreKey::all().map(|key| board.erase(key.as_u8()));
                next = Some(stored(erased.try_for_each(|erased| erased)));
            }
            Output::Signal(signal) => {
                board.show(signal);
                if matches!(signal, Signal::Code(_)) {
                    next = Some(Event::CodeShown);
                }
            }
            Output::Disconnect => {
                board.disconnect();
                next = next.or(Some(Event::Disconnected));
            }
        }
    }
    fragment.zeroize();
    next
}

fn stored(result: Result<(), Fault>) -> Event<'static> {
    if result.is_ok() { Event::Stored } else { Event::StoreFailed }
}

/// Who is to blame. The reasons have texts (`Display`), which cost flash.
fn blamed(error: Error) -> &'static str {
    match error {
        Error::Peer(_) => "peer",
        Error::Caller(_) => "caller",
        Error::Machine(_) => "machine",
        _ => "unknown",
    }
}
