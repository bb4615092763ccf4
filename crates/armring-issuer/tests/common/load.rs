//! Many bands that pay at once, and what must hold of the books whatever happens meanwhile.

use std::thread;

use armring_issuer::*;
use armring_token::Minor;
use armring_wire::*;
use rand_chacha::rand_core::SeedableRng;

use super::{Band, ChaCha20Rng, NOW, Shop, Signer, World, generous, verified};

pub(crate) const BANDS: usize = 8;

pub(crate) type Front<L> = GroupCommit<L, Signer>;

/// A request and the token that answers it.
pub(crate) type Sent = (Vec<u8>, Vec<u8>);

/// Everyone, and the ledger that they are in.
pub(crate) struct Crowd<L> {
    pub(crate) world: World<L>,
    pub(crate) shop: Shop,
    pub(crate) bands: Vec<Band>,
}

impl<L: Ledger + Send + 'static> Crowd<L> {
    /// The same issuer each time, since it is made from the same randomness: only the ledger differs, and may know everyone already.
    pub(crate) fn new(ledger: L) -> Self {
        let everyone = |w: &mut World<MemoryLedger>| (w.shop(), (0..BANDS).map(|_| w.band(1_000_000)).collect::<Vec<_>>());
        let (shop, bands) = everyone(&mut World::new(MemoryLedger::new()));
        let known = ledger.credential(bands[BANDS - 1].credential.id).unwrap().is_some();
        let mut world = World::with_policy(ledger, Policy { daily: Minor(u64::MAX), ..generous() });
        if !known {
            let _ = (world.shop(), (0..BANDS).map(|_| world.band(1_000_000)).collect::<Vec<_>>());
        }
        let mut crowd = Self { world, shop, bands };
        crowd.catch_up();
        crowd
    }

    /// Each band counts from where the books are.
    fn catch_up(&mut self) {
        for band in &mut self.bands {
            let record = self.world.issuer.ledger().credential(band.credential.id).unwrap().unwrap();
            band.counter = u32::try_from(record.answered().0).unwrap();
            band.cumulative = u64::try_from(record.answered_total()).unwrap();
        }
        let count = self.bands.iter().map(|band| u64::from(band.counter)).sum();
        self.world.rng = SeedableRng::seed_from_u64(count);
    }

    /// What each band pays next, one minor unit each time.
    pub(crate) fn sign(&mut self, each: usize) -> Vec<Vec<Sent>> {
        let Self { world, shop, bands } = self;
        let sign = |band: &mut Band| {
            let sign = |_| {
                let request = shop.request(world, 1);
                let token = band.token(world, &request);
                (request, token)
            };
            (0..each).map(sign).collect()
        };
        bands.iter_mut().map(sign).collect()
    }

    /// Puts the issuer behind a front, and leaves those who have signed.
    pub(crate) fn front(self) -> Front<L> {
        start(self.world.issuer)
    }

    /// The books agree; each of these tokens has the very receipt that its payer got; and what the shop has is what was answered, of which at
    /// most `lost` answers did not arrive.
    pub(crate) fn holds(self, answered: &[(Sent, Vec<u8>)], lost: usize) -> Self {
        let Self { world: World { issuer, rng, root, list, signatures_left }, shop, bands } = self;
        let front = start(issuer);
        for some in answered.chunks(GroupOptions::default().queue) {
            let (sender, receiver) = std::sync::mpsc::channel();
            for ((request, token), receipt) in some {
                let (sender, receipt) = (sender.clone(), receipt.clone());
                front.submit(request, token, NOW, move |answer| sender.send((answer, receipt)).unwrap());
            }
            drop(sender);
            for (answer, receipt) in receiver {
                let answer = answer.unwrap().unwrap();
                assert!(answer.repeated && answer.receipt == receipt, "the books have this very receipt");
            }
        }
        let world = World { issuer: front.stop().unwrap(), rng, root, list, signatures_left };
        assert_eq!(verified(world.issuer.ledger()), []);
        let mut crowd = Self { world, shop, bands };
        crowd.catch_up();
        let settled: usize = crowd.bands.iter().map(|band| usize::try_from(band.counter).unwrap()).sum();
        assert_eq!(usize::try_from(crowd.world.balance(crowd.shop.account)).unwrap(), settled, "one minor unit each");
        assert!((answered.len()..=answered.len() + lost).contains(&settled), "{settled} of {} and {lost}", answered.len());
        crowd
    }
}

fn start<L: Ledger + Send + 'static>(issuer: Issuer<L, Signer>) -> Front<L> {
    let mut seed = 0;
    let rng = || {
        seed += 1;
        ChaCha20Rng::seed_from_u64(seed)
    };
    GroupCommit::start(issuer, GroupOptions::default(), rng).unwrap()
}

/// Each band sends what it signed, one after the other, and each again until it is answered, or has failed `most` times: how often the machine
/// failed.
pub(crate) fn pay<L: Ledger + Send + 'static>(
    front: &Front<L>,
    sent: Vec<Vec<Sent>>,
    most: usize,
    told: impl Fn(&Sent, &[u8]) + Sync,
) -> usize {
    let until_answered = |payment: &Sent| {
        for failures in 0..most {
            match front.redeem(&payment.0, &payment.1, NOW) {
                Ok(Ok(answer)) => {
                    assert_eq!(answer.outcome, Outcome::Settled);
                    told(payment, &answer.receipt);
                    return failures;
                }
                Ok(Err(refusal)) => panic!("{refusal:?}"),
                Err(_) => {}
            }
        }
        most
    };
    let of_band = |sent: Vec<Sent>| {
        let mut failures = 0;
        for payment in &sent {
            let failed = until_answered(payment);
            failures += failed;
            if failed == most {
                break;
            }
        }
        failures
    };
    thread::scope(|threads| {
        let bands: Vec<_> = sent.into_iter().map(|sent| threads.spawn(|| of_band(sent))).collect();
        bands.into_iter().map(|band| band.join().unwrap()).sum()
    })
}
