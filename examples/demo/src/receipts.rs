//! The receipts that a phone keeps.

use anyhow::{Context, Result};
use armring_token::{Receipt, Unverified};

use crate::control::{PhoneReport, Report, report};
use crate::disk::Disk;
use crate::phone::Phone;

impl Phone {
    /// Puts a receipt on disk, once.
    pub(crate) fn keep_receipt(&mut self, receipt: &[u8]) -> Result<()> {
        if !self.receipts.iter().any(|known| known == receipt) {
            self.disk.write(&place(self.receipts.len()), receipt)?;
            self.receipts.push(receipt.to_vec());
        }
        Ok(())
    }

    /// The receipts that are on disk.
    pub(crate) fn read_receipts(disk: &Disk) -> Result<Vec<Vec<u8>>> {
        let mut receipts = Vec::new();
        while let Some(receipt) = disk.read(&place(receipts.len()))? {
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    /// Verifies all receipts again, with the key list that is here now.
    pub(crate) fn check_receipts(&self) -> Result<()> {
        let (root, keys) = (self.root.fingerprint(), self.key_list()?);
        for (number, object) in self.receipts.iter().enumerate() {
            let damaged = || self.disk.damaged(&place(number));
            let receipt = Unverified::<Receipt>::parse(object).with_context(damaged)?;
            let key = keys.signing_key(receipt.claims().key, receipt.claims().time).with_context(damaged)?;
            receipt.verify(&root, &key).with_context(damaged)?;
        }
        Ok(report(&Report::Phone(PhoneReport::Receipts(self.receipts.len())))?)
    }
}

fn place(number: usize) -> String {
    format!("receipt-{number:05}")
}
