//! What a story expects: of the line before, and of the issuer's books.

use anyhow::{Context, Result, bail, ensure};

use super::language::{Action, Wanted};
use super::outcome::Outcome;
use super::player::Player;
use crate::control::{Books, IssuerCommand, Report};
use crate::money::show_signed;

const CNY: u16 = 156;

impl Player {
    /// Holds what came of the last line to what was expected of it.
    pub(super) fn expect(&mut self, expectation: &Action) -> Result<()> {
        match expectation {
            Action::Expect { wanted, part, tell } => self.expect_outcome(*wanted, part.as_deref(), tell.as_deref()),
            Action::ExpectSameReceipt { memo, tell } => self.expect_same_receipt(memo, tell.as_deref()),
            _ => bail!("that is nothing to expect"),
        }
    }

    fn expect_outcome(&mut self, wanted: Wanted, part: Option<&str>, tell: Option<&str>) -> Result<()> {
        let Outcome { how, said, .. } = &self.last;
        let part = part.unwrap_or_default();
        let fits = *how == wanted && said.contains(part);
        let about = if part.is_empty() { String::new() } else { format!(", with \"{part}\"") };
        ensure!(fits, "expected {}{about}; what happened: {}", wanted.word(), self.last.told());
        let told = tell.map_or_else(|| self.last.told(), |tell| tell.replace("{}", said));
        match wanted {
            Wanted::Refused => self.stage.telling.refused(&told),
            _ => self.stage.telling.check(&told),
        }
        Ok(())
    }

    /// The receipt is, byte for byte, the one that there was for something before.
    fn expect_same_receipt(&mut self, memo: &str, tell: Option<&str>) -> Result<()> {
        let first = self.receipts.get(memo).with_context(|| format!("there was no receipt for {memo}"))?;
        let receipt =
            self.last.receipt.as_ref().with_context(|| format!("expected a receipt; what happened: {}", self.last.told()))?;
        ensure!(receipt == first, "expected the receipt that there was for {memo}; this is another one");
        self.stage.telling.check(tell.unwrap_or("The same receipt, byte for byte."));
        Ok(())
    }

    /// The ledger agrees with itself, and accounts hold what they must.
    pub(super) fn expect_books(&mut self, expected: &[(String, i64)]) -> Result<Outcome> {
        let books = self.books()?;
        for (name, minor) in expected {
            let found =
                books.balances.iter().find(|(known, _)| known == name).with_context(|| format!("{name} has no account"))?.1;
            ensure!(found == *minor, "expected {name} to have {}; in the books it is {}", money(*minor), money(found));
        }
        let shown: Vec<String> = expected.iter().map(|(name, minor)| format!("{name} {}", money(*minor))).collect();
        self.stage.telling.check(&format!("The issuer's books: {}.", shown.join(", ")));
        Ok(Outcome::done())
    }

    pub(super) fn books(&mut self) -> Result<Books> {
        let issuer = self.service.actor;
        self.stage.tell(issuer, &IssuerCommand::Books)?;
        let books = self.stage.wait(issuer, "the books", |report| match report {
            Report::Books(books) => Some(books.clone()),
            _ => None,
        })?;
        ensure!(books.faults.is_empty(), "the books do not agree: {}", books.faults.join(", "));
        Ok(books)
    }

    /// All that went in is there.
    pub(super) fn audit(&mut self) -> Result<Outcome> {
        let total: i64 = self.books()?.balances.iter().map(|(_, balance)| balance).sum();
        let (went_in, are_there) = (money(self.deposited), money(total));
        ensure!(total == self.deposited, "{went_in} went in and {are_there} are there");
        self.stage.telling.check(&format!("{went_in} went in and {are_there} are there; every entry has its counterpart."));
        Ok(Outcome::done())
    }
}

fn money(minor: i64) -> String {
    show_signed(i128::from(minor), CNY)
}
