//! A man in the middle between a wallet and a shop, and between a shop and the issuer, where nothing is sealed and everything signed.

use anyhow::{Result, ensure};

use super::{Attacker, Over, Victim, complaint, failure, far, near};
use crate::control::{AttackCommand, AttackReport, BandCommand, Counter, Deed, Place, Report, ShopCommand, Which, hex};
use crate::story::stage::{Actor, Stage};

const REQUEST: Which = far(0);
const TOKEN: Which = near(1);
const RECEIPT: Which = far(1);
/// The same where a payment is gone on with: nobody asks what there is to pay.
const TOKEN_AGAIN: Which = near(0);
const RECEIPT_AGAIN: Which = far(0);
/// What a shop says to the issuer, and what it answers.
const REDEEM: Which = near(0);
const ANSWER: Which = far(0);

const fn of(object: usize, byte: usize) -> Place {
    Place::Object { object, byte }
}

/// What a shop asks: the request, then the certificate.
const REQUEST_PARTS: [(&str, Place); 8] = [
    ("the signature of the request", of(0, 0)),
    ("the payee in the request", of(0, 66)),
    ("the amount", of(0, 74)),
    ("the currency", of(0, 82)),
    ("the 16 random bytes", of(0, 84)),
    ("the expiry", of(0, 100)),
    ("the memo", of(0, 105)),
    ("the payee's key in the certificate", of(1, 75)),
];
const TOKEN_PARTS: [(&str, Place); 8] = [
    ("the signature of the token", of(0, 0)),
    ("the credential", of(0, 65)),
    ("the payee in the token", of(0, 74)),
    ("the digest of the request", of(0, 82)),
    ("the amount", of(0, 114)),
    ("the counter", of(0, 124)),
    ("the total", of(0, 128)),
    ("the gesture", of(0, 138)),
];
const RECEIPT_PARTS: [(&str, Place); 4] = [
    ("the signature of the receipt", of(0, 0)),
    ("the token in it", of(0, 67)),
    ("the outcome", of(0, 99)),
    ("the time", of(0, 108)),
];
/// What a shop redeems: the request, then the token.
const REDEEM_PARTS: [(&str, Place); 4] = [
    ("the signature of the request", of(0, 0)),
    ("the amount in the request", of(0, 74)),
    ("the signature of the token", of(1, 0)),
    ("the counter in the token", of(1, 124)),
];

/// A shop's till: where it is paid, and where it looks for the issuer.
pub(super) struct Till {
    pub(super) actor: Actor,
    pub(super) at: Counter,
    pub(super) issuer: String,
}

impl Till {
    fn find_issuer_at(&self, stage: &mut Stage, address: &str) -> Result<()> {
        stage.done(self.actor, &ShopCommand::IssuerAt { address: address.to_owned() })
    }
}

impl Counter {
    /// The same counter, reached through the attacker.
    fn through(&self, attacker: &Attacker) -> Self {
        Self { payee: self.payee.clone(), address: attacker.address.clone() }
    }
}

impl Attacker {
    /// Hands on what wallet and shop say while somebody pays. Gives the session.
    pub(super) fn overhear_counter(&self, stage: &mut Stage, victim: &Victim, shop: &Counter) -> Result<Over> {
        self.stand_before(stage, &shop.address)?;
        self.plan(stage, Deed::Relay)?;
        victim.press_to_pay(stage, &shop.through(self))?;
        victim.settles(stage)?;
        let over = self.over(stage)?;
        let things = vec![(format!("the payee's name, {}", shop.payee), hex(shop.payee.as_bytes()))];
        let (found, messages, bytes) = self.look_for(stage, things)?;
        ensure!(found.len() == 1, "what is not sealed was not found in {messages} messages of {bytes} bytes");
        stage.telling.prose(&format!(
            "{} reads, in {messages} messages and {bytes} bytes: {}, amount, memo and all.",
            self.name,
            found.join(", ")
        ));
        Ok(over)
    }

    /// Changes each part of what a shop asks. The phone shows none of it.
    pub(super) fn change_request(&self, stage: &mut Stage, victim: &Victim, shop: &Counter) -> Result<()> {
        for (part, place) in REQUEST_PARTS {
            self.plan(stage, Deed::Change { which: REQUEST, place })?;
            victim.ask_to_pay(stage, &shop.through(self))?;
            let why = victim.declined(stage)?;
            self.did(stage)?;
            stage.telling.refused(&format!("{} changes {part}: {why}.", self.name));
        }
        Ok(())
    }

    /// Puts another payee's request in the place of the one that the person means, and the person sees it.
    pub(super) fn replace_request(&self, stage: &mut Stage, victim: &Victim, shops: (&Counter, &Counter)) -> Result<()> {
        let (shop, other) = shops;
        stage.forget(self.actor)?;
        stage.tell(self.actor, &AttackCommand::Ask { address: other.address.clone() })?;
        let session = stage.wait(self.actor, "another payee's request", |report| match report {
            Report::Attack(AttackReport::Asked { session }) => Some(*session),
            _ => None,
        })?;
        self.stand_before(stage, &shop.address)?;
        self.plan(stage, Deed::Replace { which: REQUEST, session, by: far(0) })?;
        victim.ask_to_pay(stage, &shop.through(self))?;
        let shown = victim.shown(stage)?;
        ensure!(shown.contains(&other.payee), "the phone shows {shown}");
        stage.telling.refused(&format!("The phone shows whose request it is: {shown}. {} says no.", victim.name));
        victim.asked(stage)?;
        victim.acts(stage, BandCommand::Shake)?;
        let why = victim.declined(stage)?;
        self.did(stage)?;
        stage.telling.refused(&format!("Nothing is signed: {why}."));
        Ok(())
    }

    /// Changes each part of one token, then hands it on: it settles once.
    pub(super) fn change_token(&self, stage: &mut Stage, victim: &Victim, shop: &Counter) -> Result<()> {
        let through = shop.through(self);
        for (first, (part, place)) in (0..).zip(TOKEN_PARTS) {
            let which = if first == 0 { TOKEN } else { TOKEN_AGAIN };
            self.plan(stage, Deed::Change { which, place })?;
            if first == 0 {
                victim.press_to_pay(stage, &through)?;
            } else {
                victim.go_on(stage, &through)?;
            }
            let why = victim.declined(stage)?;
            self.did(stage)?;
            stage.telling.refused(&format!("{} changes {part}: {why}.", self.name));
        }
        self.hand_on(stage, victim, &through)
    }

    /// Changes each part of a receipt, or puts an earlier one in its place, then hands it on.
    pub(super) fn change_receipt(&self, stage: &mut Stage, victim: &Victim, shop: &Counter, earlier: Over) -> Result<()> {
        let through = shop.through(self);
        let session = earlier.session;
        let changes = RECEIPT_PARTS.into_iter().zip([RECEIPT].into_iter().chain(std::iter::repeat(RECEIPT_AGAIN)));
        let changes = changes.map(|((part, place), which)| (format!("changes {part}"), Deed::Change { which, place }));
        let old = [
            ("sends the receipt of an earlier payment", Deed::Replace { which: RECEIPT_AGAIN, session, by: RECEIPT }),
            ("sends the shop the token of an earlier payment", Deed::Replace { which: TOKEN_AGAIN, session, by: TOKEN }),
        ]
        .map(|(what, deed)| (what.to_owned(), deed));
        for (first, (what, deed)) in (0..).zip(changes.chain(old)) {
            self.plan(stage, deed)?;
            if first == 0 {
                victim.press_to_pay(stage, &through)?;
            } else {
                victim.go_on(stage, &through)?;
            }
            let why = failure(stage, victim.phone)?;
            self.did(stage)?;
            stage.telling.refused(&format!("{} {what}: {why}.", self.name));
        }
        victim.alone(stage)?;
        victim.connect(stage)?;
        self.hand_on(stage, victim, &through)
    }

    /// As soon as he hands on what is said, the payment settles, once.
    fn hand_on(&self, stage: &mut Stage, victim: &Victim, through: &Counter) -> Result<()> {
        self.plan(stage, Deed::Relay)?;
        victim.go_on(stage, through)?;
        victim.settles(stage)?;
        self.over(stage)?;
        stage.telling.check("The same token, handed on as it is: settled, for the one press.");
        Ok(())
    }

    /// Stands between a shop and the issuer while somebody pays, then says again what the shop said.
    pub(super) fn replay_redeem(&self, stage: &mut Stage, victim: &Victim, till: &Till) -> Result<Over> {
        self.stand_before(stage, &till.issuer)?;
        till.find_issuer_at(stage, &self.address)?;
        self.plan(stage, Deed::Relay)?;
        victim.press_to_pay(stage, &till.at)?;
        victim.settles(stage)?;
        let over = self.over(stage)?;
        let (answers, of, same) = self.replay(stage, over.session)?;
        ensure!(answers == 1 && of == 1 && same, "the issuer gave another answer to a replay");
        stage
            .telling
            .refused(&format!("{} redeems the same token again: the same receipt, byte for byte, and nothing else.", self.name));
        till.find_issuer_at(stage, &till.issuer)?;
        Ok(over)
    }

    /// Changes what a shop redeems and what the issuer answers, then hands it on.
    pub(super) fn change_redeem(&self, stage: &mut Stage, victim: &Victim, till: &Till, earlier: Over) -> Result<()> {
        self.stand_before(stage, &till.issuer)?;
        till.find_issuer_at(stage, &self.address)?;
        let changes = REDEEM_PARTS.map(|(part, place)| (format!("changes {part}"), Deed::Change { which: REDEEM, place }));
        let rest = [
            ("keeps the answer and hangs up".to_owned(), Deed::Drop { which: ANSWER }),
            ("changes the receipt".to_owned(), Deed::Change { which: ANSWER, place: of(0, 99) }),
            (
                "sends the receipt of an earlier payment".to_owned(),
                Deed::Replace { which: ANSWER, session: earlier.session, by: ANSWER },
            ),
        ];
        for (first, (what, deed)) in (0..).zip(changes.into_iter().chain(rest)) {
            self.plan(stage, deed)?;
            stage.forget(till.actor)?;
            if first == 0 {
                victim.press_to_pay(stage, &till.at)?;
            } else {
                victim.go_on(stage, &till.at)?;
            }
            let mut why = victim.declined(stage)?;
            self.did(stage)?;
            if first >= REDEEM_PARTS.len() {
                why = complaint(stage, till.actor)?;
            }
            stage.telling.refused(&format!("{} {what}: {why}.", self.name));
        }
        self.plan(stage, Deed::Relay)?;
        victim.go_on(stage, &till.at)?;
        victim.settles(stage)?;
        self.over(stage)?;
        stage.telling.check("Handed on as it is, the token settles: what did not verify has frozen nobody's credential.");
        till.find_issuer_at(stage, &till.issuer)
    }
}
