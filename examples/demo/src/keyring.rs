//! The issuer's keys: the root, and what it signs for. A real issuer keeps the root offline; here all of it is in one file, readable by whoever reads the disk.

use anyhow::{Context, Result};
use armring_issuer::{EnrolmentKey, Keys, SigningKey as OwnKey, sign_key_list};
use armring_pairing::{DiffieHellman, SoftwareKey};
use armring_token::{Epoch, KeyEntry, KeyUse, RootKey, Signing};
use armring_wire::{KeyId, UnixTime, Validity};
use ed25519_dalek::SigningKey;
use getrandom::SysRng;
use rand_core::TryRng;
use serde::{Deserialize, Serialize};

use crate::control::{hex, unhex_array};
use crate::disk::Disk;
use crate::issuer::YEAR;

const PLACE: &str = "keys";

pub(crate) struct Keyring {
    root_signer: SigningKey,
    root: RootKey,
    epoch: Epoch,
    /// What signs, and what the band encrypts its enrolment to.
    signing: Signer,
    enrolment: Exchange,
    /// What is listed already and signs from the next rotation on.
    next: Option<Signer>,
    /// What no longer signs, and is listed for what it signed.
    former: Vec<KeyEntry>,
    issued: UnixTime,
}

struct Signer {
    key: SigningKey,
    entry: KeyEntry,
}

struct Exchange {
    key: SoftwareKey,
    entry: KeyEntry,
}

impl Keyring {
    /// The keys that are on disk; at the first start, new ones.
    pub(crate) fn open(disk: &Disk, now: UnixTime) -> Result<Self> {
        if let Some(stored) = disk.read(PLACE)? {
            let stored: Stored = serde_json::from_slice(&stored).with_context(|| disk.damaged(PLACE))?;
            return stored.keyring().with_context(|| disk.damaged(PLACE));
        }
        let keyring = Self::new(now)?;
        keyring.store(disk)?;
        Ok(keyring)
    }

    /// Puts them on disk.
    pub(crate) fn store(&self, disk: &Disk) -> Result<()> {
        Ok(disk.write(PLACE, &serde_json::to_vec(&Stored::of(self))?)?)
    }

    pub(crate) fn new(now: UnixTime) -> Result<Self> {
        let root_signer = SigningKey::from_bytes(&seed()?);
        let root = RootKey::from_bytes(root_signer.verifying_key().to_bytes()).context("a root key")?;
        let (signing, enrolment) = (Signer::make(KeyId(1), now)?, Exchange::make(KeyId(2), now)?);
        Ok(Self { root_signer, root, epoch: Epoch(1), signing, enrolment, next: None, former: Vec::new(), issued: now })
    }

    pub(crate) const fn root(&self) -> RootKey {
        self.root
    }

    /// Makes new keys and lists them. Enrolments go over the new one from now on, since bands take it from the list that comes with them;
    /// nothing is signed with the new one before everybody has the list.
    pub(crate) fn announce(&mut self, now: UnixTime) -> Result<()> {
        self.epoch = Epoch(self.epoch.0 + 1);
        self.issued = now;
        self.next = Some(Signer::make(KeyId(3), now)?);
        self.enrolment = Exchange::make(KeyId(4), now)?;
        Ok(())
    }

    /// From now on the new key signs. The list stays as it is.
    pub(crate) fn use_new(&mut self) -> Result<()> {
        let next = self.next.take().context("no new key was announced")?;
        self.former.push(std::mem::replace(&mut self.signing, next).entry);
        Ok(())
    }

    /// What the running issuer gets of it.
    pub(crate) fn keys(&self) -> Result<Keys> {
        let mut listed = vec![self.enrolment.entry, self.signing.entry];
        listed.extend(self.next.iter().map(|next| next.entry));
        listed.extend(&self.former);
        listed.sort_by_key(|entry| entry.id.0);
        let next_update = self.issued.checked_add(YEAR).context("the calendar ends")?;
        let signer = Signing::new(self.root_signer.clone());
        let key_list = sign_key_list(&self.root, &signer, self.epoch, (self.issued, next_update), &listed)?;
        Ok(Keys {
            root: self.root,
            signing_id: self.signing.entry.id,
            signing: Signing::new(OwnKey::from_bytes(self.signing.key.as_bytes())?),
            enrolment: EnrolmentKey::from_bytes(self.enrolment.key.expose())?,
            key_list,
        })
    }
}

impl Signer {
    fn make(id: KeyId, now: UnixTime) -> Result<Self> {
        let key = SigningKey::from_bytes(&seed()?);
        let entry = KeyEntry { id, key_use: KeyUse::Signing, key: key.verifying_key().to_bytes(), validity: year(now)? };
        Ok(Self { key, entry })
    }
}

impl Exchange {
    fn make(id: KeyId, now: UnixTime) -> Result<Self> {
        let key = SoftwareKey::generate(&mut SysRng)?;
        let entry = KeyEntry { id, key_use: KeyUse::Enrolment, key: *key.public_key().as_bytes(), validity: year(now)? };
        Ok(Self { key, entry })
    }
}

/// All keys, as they are on disk.
#[derive(Serialize, Deserialize)]
struct Stored {
    root: String,
    epoch: u32,
    issued: u32,
    signing: StoredKey,
    enrolment: StoredKey,
    next: Option<StoredKey>,
    former: Vec<StoredKey>,
}

/// One key: the secret, but of a former one only what is listed.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    id: u16,
    key: String,
    from: u32,
    until: u32,
}

impl Stored {
    fn of(keyring: &Keyring) -> Self {
        let key = |bytes: &[u8; 32], entry: &KeyEntry| StoredKey {
            id: entry.id.0,
            key: hex(bytes),
            from: entry.validity.from.as_secs(),
            until: entry.validity.until.as_secs(),
        };
        let signer = |signer: &Signer| key(&signer.key.to_bytes(), &signer.entry);
        Self {
            root: hex(&keyring.root_signer.to_bytes()),
            epoch: keyring.epoch.0,
            issued: keyring.issued.as_secs(),
            signing: signer(&keyring.signing),
            enrolment: key(keyring.enrolment.key.expose(), &keyring.enrolment.entry),
            next: keyring.next.as_ref().map(signer),
            former: keyring.former.iter().map(|entry| key(&entry.key, entry)).collect(),
        }
    }

    fn keyring(&self) -> Result<Keyring> {
        let root_signer = SigningKey::from_bytes(&unhex_array(&self.root)?);
        let root = RootKey::from_bytes(root_signer.verifying_key().to_bytes()).context("a root key")?;
        let key = SoftwareKey::new(unhex_array(&self.enrolment.key)?);
        let entry = self.enrolment.entry(KeyUse::Enrolment, *key.public_key().as_bytes());
        Ok(Keyring {
            root_signer,
            root,
            epoch: Epoch(self.epoch),
            signing: self.signing.signer()?,
            enrolment: Exchange { key, entry },
            next: self.next.as_ref().map(StoredKey::signer).transpose()?,
            former: self
                .former
                .iter()
                .map(|key| Ok(key.entry(KeyUse::Signing, unhex_array(&key.key)?)))
                .collect::<Result<_>>()?,
            issued: UnixTime::from_secs(self.issued),
        })
    }
}

impl StoredKey {
    fn signer(&self) -> Result<Signer> {
        let key = SigningKey::from_bytes(&unhex_array(&self.key)?);
        let entry = self.entry(KeyUse::Signing, key.verifying_key().to_bytes());
        Ok(Signer { key, entry })
    }

    fn entry(&self, key_use: KeyUse, key: [u8; 32]) -> KeyEntry {
        let validity = Validity { from: UnixTime::from_secs(self.from), until: UnixTime::from_secs(self.until) };
        KeyEntry { id: KeyId(self.id), key_use, key, validity }
    }
}

fn year(now: UnixTime) -> Result<Validity> {
    Ok(Validity { from: now, until: now.checked_add(YEAR).context("the calendar ends")? })
}

fn seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed)?;
    Ok(seed)
}
