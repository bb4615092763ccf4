//! What a shop has on disk: a process ends, money should not.

use std::collections::HashMap;

use anyhow::{Context, Result};
use armring_payee::{Revoked, Sale};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use rand_core::TryRng;

use super::{REVOKED_MAX, Shop, Sold};
use crate::control::{hex, unhex};
use crate::disk::Disk;

const KEY: &str = "key";
const CERTIFICATE: &str = "certificate";
const KEY_LIST: &str = "key-list";
const REVOKED: &str = "revoked";

/// The shop's key, made at the first start.
pub(super) fn signer(disk: &Disk) -> Result<SigningKey> {
    if let Some(seed) = disk.read(KEY)? {
        let seed = seed.as_slice().try_into().with_context(|| disk.damaged(KEY))?;
        return Ok(SigningKey::from_bytes(&seed));
    }
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    disk.write(KEY, &seed)?;
    Ok(SigningKey::from_bytes(&seed))
}

impl Shop {
    /// Takes up where the last process stopped, without network if need be.
    pub(super) fn remember(&mut self) -> Result<()> {
        if let (Some(certificate), Some(key_list)) = (self.disk.read(CERTIFICATE)?, self.disk.read(KEY_LIST)?) {
            let payee = self.certified(&certificate, &key_list);
            self.payee = Some(payee.with_context(|| self.disk.damaged(CERTIFICATE))?);
        }
        if let Some(stored) = self.disk.read(REVOKED)? {
            let revoked = Revoked::from_bytes(&stored, &self.root.fingerprint(), REVOKED_MAX);
            self.revoked = revoked.with_context(|| self.disk.damaged(REVOKED))?;
        }
        while let Some(stored) = self.disk.read(&place(self.sales.len()))? {
            let sold = self.sold_from(&stored).with_context(|| self.disk.damaged(&place(self.sales.len())))?;
            // What is not pending is not taken up; what is pending and does not fit any more was taken within the limits of then.
            let _ = self.book.readmit(&sold.sale);
            self.kept.insert(self.sales.len(), stored);
            self.sales.push(sold);
        }
        Ok(())
    }

    fn sold_from(&self, stored: &[u8]) -> Option<Sold> {
        let (memo, sale): (String, String) = serde_json::from_slice(stored).ok()?;
        let sale = Sale::from_bytes(&unhex(&sale).ok()?, &self.root.fingerprint())?;
        Some(Sold { memo, sale, elsewhere: None, refund: None })
    }

    pub(super) fn keep_certificate(&self, certificate: &[u8], key_list: &[u8]) -> Result<()> {
        self.disk.write(KEY_LIST, key_list)?;
        Ok(self.disk.write(CERTIFICATE, certificate)?)
    }

    /// Puts on disk the key list and the list of who is revoked.
    pub(super) fn keep_lists(&self, key_list: &[u8]) -> Result<()> {
        self.disk.write(KEY_LIST, key_list)?;
        Ok(self.disk.write(REVOKED, &self.revoked.to_bytes())?)
    }

    /// Puts on disk what has changed of any sale.
    pub(super) fn keep(&mut self) -> Result<()> {
        for (number, sold) in self.sales.iter().enumerate() {
            let bytes = serde_json::to_vec(&(&sold.memo, hex(&sold.sale.to_bytes())))?;
            if self.kept.get(&number) != Some(&bytes) {
                self.disk.write(&place(number), &bytes)?;
                self.kept.insert(number, bytes);
            }
        }
        Ok(())
    }
}

/// What is on disk of each sale.
pub(super) type Kept = HashMap<usize, Vec<u8>>;

fn place(number: usize) -> String {
    format!("sale-{number:05}")
}
