//! What a payee gives back.

use armring_wire::RefundDigest;

use crate::cast::yuan;
use crate::dice::Dice;
use crate::fault::Flow;
use crate::happening::{Letter, Node};
use crate::invariant::Held;
use crate::net::encoded;
use crate::till::{REFUNDS, owner_of};
use crate::world::World;

impl World {
    /// A sale that is over leaves the till, unless it is pending; of some, the shop gives a part back first.
    pub(crate) fn closes(&mut self, till: usize, number: u64) -> Held {
        let Some(sale) = self.tills[till].sales.get_mut(&number) else { return Ok(()) };
        if sale.settled().is_none() {
            if sale.pending().is_none() {
                self.lets_go(till, number);
            }
            return Ok(());
        }
        let mut dice = Dice::named(&[self.setup.seed, 0x4ef0, number]);
        let part = 1 + dice.below(sale.amount().minor());
        let is_shop = self.tills[till].payee.is_some();
        if is_shop && dice.chance(250) && self.faults.next_errand(owner_of(till)).is_some() {
            return self.gives_back(till, number, part);
        }
        self.lets_go(till, number);
        Ok(())
    }

    fn lets_go(&mut self, till: usize, number: u64) {
        let shop = &mut self.tills[till];
        shop.sales.remove(&number);
        shop.stored.remove(&number);
    }

    fn gives_back(&mut self, till: usize, number: u64, part: u64) -> Held {
        let shop = &mut self.tills[till];
        let (Some(payee), Some(sale)) = (&shop.payee, shop.sales.get_mut(&number)) else { return Ok(()) };
        let mut forgotten = sale.clone();
        let Ok(refund) = payee.refund(sale, yuan(part), &mut self.rng) else { return Ok(()) };
        self.private.looks_for(&part.to_le_bytes());
        // Some payees forget that they have given back already, and give all of it.
        let all = forgotten.amount();
        if Dice::named(&[self.setup.seed, 0x2e0, number]).chance(300)
            && let Ok(again) = payee.refund(&mut forgotten, all, &mut self.rng)
            && let Some(asked) = forgotten.ask_refund(&again)
        {
            let (bytes, owner) = (encoded(&asked), owner_of(till));
            let (from, about) = (Node::Till(till), number | REFUNDS);
            for _ in 0..3 {
                let bytes = bytes.clone();
                self.posts(Letter { from, to: Node::Bank, about, owner, flow: Flow::Refund, bytes })?;
            }
        }
        if self.till_keeps(till, number, owner_of(till), Flow::Refund) { self.asks_refund(till, number, refund) } else { Ok(()) }
    }

    pub(crate) fn asks_refund(&mut self, till: usize, number: u64, refund: RefundDigest) -> Held {
        let Some(asked) = self.tills[till].sales.get(&number).and_then(|sale| sale.ask_refund(&refund)) else { return Ok(()) };
        let (bytes, owner) = (encoded(&asked), owner_of(till));
        let (from, about) = (Node::Till(till), number | REFUNDS);
        self.posts(Letter { from, to: Node::Bank, about, owner, flow: Flow::Refund, bytes })
    }

    pub(crate) fn hears_of_refund(&mut self, till: usize, letter: &Letter) -> Held {
        let number = letter.about & !REFUNDS;
        let Some(sale) = self.tills[till].sales.get_mut(&number) else { return Ok(()) };
        let open: Vec<RefundDigest> = sale.open_refunds().collect();
        for refund in open {
            let _ = sale.refund_answered(&refund, &letter.bytes, &self.bank.keys);
        }
        if sale.open_refunds().next().is_none() && self.till_keeps(till, number, letter.owner, Flow::Refund) {
            self.lets_go(till, number);
        }
        Ok(())
    }
}
