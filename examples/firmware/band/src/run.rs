//! The loop that drives a band: what happened goes in, what it wants done comes out.

use core::convert::Infallible;

use armring_band::{Band, Error, Event, Output, Secret, Signal, SoftwareKeys};
use armring_flash::{BandStore, MultiwriteNorFlash, block_on};
use armring_pairing::SoftwareKey;
use armring_token::RootKey;
use armring_wire::ATT_PAYLOAD_MAX;
use chacha20::ChaCha20Rng;

use crate::board::{Board, Fault, Happened};
use crate::identity;
use crate::random::seeded;

/// What this board's wearer taps: short, long, short, short.
const PATTERN: &[u8] = &[1, 2, 1, 1];

/// A band with everything around it.
struct Host<'a, B: Board> {
    band: &'a mut SoftwareBand,
    store: &'a mut BandStore<B::Flash>,
    board: &'a mut B,
    rng: &'a mut ChaCha20Rng,
}

type SoftwareBand = Band<SoftwareKey, SoftwareKeys>;

/// Runs a band on `board`.
///
/// # Errors
/// What the board cannot do at the start. Later faults are told to the wearer, and the band goes on.
pub(crate) fn run<B: Board>(board: &mut B) -> Result<Infallible, Fault> {
    let mut rng = seeded(board)?;
    let root = RootKey::from_bytes(board.root()).ok_or(Fault::Factory)?;
    let mut flash = board.flash()?;
    let identity = identity::load_or_make(&mut flash, B::IDENTITY, &mut rng)?;
    let mut band = new_band(identity, root);
    let mut store = mount::<B>(flash)?;
    load(&mut store, &mut band)?;
    let mut host = Host { band: &mut band, store: &mut store, board, rng: &mut rng };
    host.board.done();
    let mut fragment = [0; ATT_PAYLOAD_MAX];
    loop {
        let happened = host.board.wait(host.band.deadline(), &mut fragment);
        let pattern = Secret::tap_pattern(PATTERN);
        let event = match (happened, pattern) {
            (Happened::Connected(payload), _) => Event::Connected(payload),
            (Happened::Fragment(len), _) => Event::Fragment(fragment.get(..len).unwrap_or_default()),
            (Happened::Disconnected, _) => Event::Disconnected,
            (Happened::Skin(true), _) => Event::PutOn,
            (Happened::Skin(false), _) => Event::TakenOff,
            (Happened::Gesture(gesture), _) => Event::Gesture(gesture),
            // The first pattern is chosen, and at once entered.
            (Happened::Tapped, Some(pattern)) if host.band.unlocking().is_none() => {
                host.report(Event::Chosen(pattern));
                host.follow(&mut fragment);
                Event::Entered(pattern)
            }
            (Happened::Tapped, Some(pattern)) => Event::Entered(pattern),
            (Happened::Tapped | Happened::Nothing, _) => Event::Tick,
        };
        host.report(event);
        host.follow(&mut fragment);
        if !matches!(happened, Happened::Nothing) {
            host.board.done();
        }
    }
}

/// A function of its own, so that what it takes of the stack on the way is free again afterwards.
#[inline(never)]
fn new_band(identity: SoftwareKey, root: RootKey) -> SoftwareBand {
    Band::new(identity, SoftwareKeys, root)
}

#[inline(never)]
fn mount<B: Board>(flash: B::Flash) -> Result<BandStore<B::Flash>, Fault> {
    block_on(BandStore::mount(flash, B::STATE)).map_err(|_| Fault::Flash)
}

/// Hands the band what it stored before. One that has lost a token would count anew: it does not run.
#[inline(never)]
fn load<F: MultiwriteNorFlash>(store: &mut BandStore<F>, band: &mut SoftwareBand) -> Result<(), Fault> {
    block_on(store.load(band)).map_err(|_| Fault::Flash)
}

impl<B: Board> Host<'_, B> {
    /// Reports an event to the band.
    fn report(&mut self, event: Event<'_>) {
        let now = self.board.now();
        if let Err(error) = self.band.handle(event, now, self.rng) {
            self.board.complain(blamed(error));
        }
    }

    /// Does all that the band wants done, and all that follows from that. `fragment` is where the band writes what it says: what the phone
    /// wrote there has been reported.
    fn follow(&mut self, fragment: &mut [u8]) {
        while let Some(event) = self.outputs(fragment) {
            self.report(event);
        }
    }

    /// Does what the band wants done. Gives the event that this led to, if it led to one.
    #[inline(never)]
    fn outputs(&mut self, fragment: &mut [u8]) -> Option<Event<'static>> {
        let mut next = None;
        while let Some(output) = self.band.poll(fragment) {
            match output {
                Output::Transmit(bytes) => self.board.notify(bytes),
                Output::Signal(signal) => {
                    self.board.show(signal);
                    if matches!(signal, Signal::Code(_)) {
                        next = Some(Event::CodeShown);
                    }
                }
                Output::Disconnect => {
                    self.board.disconnect();
                    next = next.or(Some(Event::Disconnected));
                }
                Output::Store { .. } | Output::Erase { .. } | Output::EraseAll => next = block_on(self.store.carry_out(&output)),
            }
        }
        next
    }
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
