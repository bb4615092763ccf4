//! All that a phone remembers: its key, its links, what was paid. As bytes, one line of what they are and JSON behind it.

use anyhow::{Context, Result, ensure};
use armring_pairing::{Link, LinkState, PublicKey, labelled_hash};
use armring_token::{KeyList, RootKey, Unverified, Verified};
use armring_wallet::{Bands, Payment};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::provider::OwnKey;

/// What a state file begins with, before the sum of the rest.
const FORM: &str = "armring-phone 1 ";

/// What a phone remembers.
#[derive(Debug)]
pub struct Book {
    /// The key by which bands know this phone.
    pub key: OwnKey,
    /// The issuer's root key, which everything else is verified with.
    pub root: RootKey,
    /// Where the issuer is found.
    pub issuer: String,
    /// The issuer's key list, as it came; empty before there is one.
    pub key_list: Vec<u8>,
    /// The links to bands.
    pub bands: Bands,
    /// The credential of each band, as it was enrolled.
    pub credentials: Vec<(PublicKey, Vec<u8>)>,
    /// The band that was used last, and where it was.
    pub in_use: Option<(PublicKey, String)>,
    /// What was paid, the oldest first. The last one may be on its way.
    pub payments: Vec<Entry>,
}

/// A payment, and what goes with it.
#[derive(Debug)]
pub struct Entry {
    /// The payment, with its receipt once there is one.
    pub payment: Payment,
    /// Where the payee is found.
    pub payee: String,
    /// The band's token, once it is signed; else empty.
    pub token: Vec<u8>,
    /// There is nothing more to do for it.
    pub over: bool,
}

impl Book {
    /// The memory of a new phone.
    #[must_use]
    pub fn new(key: OwnKey, root: RootKey, issuer: String) -> Self {
        let (key_list, bands, credentials, payments) = (Vec::new(), Bands::new(), Vec::new(), Vec::new());
        Self { key, root, issuer, key_list, bands, credentials, in_use: None, payments }
    }

    /// The key list, verified.
    ///
    /// # Errors
    /// There is none yet, which enrolling changes.
    pub fn keys(&self) -> Result<Verified<KeyList>> {
        ensure!(!self.key_list.is_empty(), "this phone has no key list of the issuer yet: 'keys' gets it");
        self.verify_keys(&self.key_list)
    }

    /// Verifies a key list.
    ///
    /// # Errors
    /// It is none of this issuer.
    pub fn verify_keys(&self, object: &[u8]) -> Result<Verified<KeyList>> {
        let list = Unverified::<KeyList>::parse(object)?.verify(&self.root.fingerprint(), &self.root);
        list.context("the key list is not one of this phone's issuer")
    }

    /// The link that is used: the established one to the band in use, or the one that was just paired.
    #[must_use]
    pub fn link(&self) -> Option<&Link> {
        let (band, _) = self.in_use.as_ref()?;
        let mut links: Vec<&Link> = self.bands.links(band).collect();
        links.sort_by_key(|link| link.state() != LinkState::Established);
        links.first().copied()
    }

    /// The credential of the band in use.
    #[must_use]
    pub fn credential(&self) -> Option<&[u8]> {
        let (band, _) = self.in_use.as_ref()?;
        self.credentials.iter().find(|(of, _)| of == band).map(|(_, object)| object.as_slice())
    }

    /// Keeps the credential of a band in place of what it had.
    pub fn keep_credential(&mut self, band: PublicKey, object: Vec<u8>) {
        self.credentials.retain(|(of, _)| *of != band);
        self.credentials.push((band, object));
    }

    /// Forgets a band.
    pub fn forget(&mut self, band: &PublicKey) {
        self.bands.forget(band);
        self.credentials.retain(|(of, _)| of != band);
        self.in_use = None;
    }

    /// The payment that is on its way.
    #[must_use]
    pub fn open(&self) -> Option<&Entry> {
        self.payments.last().filter(|entry| !entry.over)
    }

    /// The same, to go on with.
    pub fn open_mut(&mut self) -> Option<&mut Entry> {
        self.payments.last_mut().filter(|entry| !entry.over)
    }

    /// All of it, for a file. It holds the phone's key: nobody else is to read it.
    ///
    /// # Errors
    /// None that is known of: the encoder's.
    pub fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>> {
        let json = Zeroizing::new(serde_json::to_vec_pretty(&Stored::of(self))?);
        let mut bytes = Zeroizing::new(format!("{FORM}{}\n", hex(&sum(&json))).into_bytes());
        bytes.extend_from_slice(&json);
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// What [`to_bytes`](Self::to_bytes) made these bytes of.
    ///
    /// # Errors
    /// They are not that, to the last bit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).context("it is no text")?;
        let (head, json) = text.split_once('\n').context("it is cut off")?;
        let wanted = head.strip_prefix(FORM).context("it is no state of this program, or of another version")?;
        let json = json.trim_end_matches('\n');
        ensure!(hex(&sum(json.as_bytes())) == wanted, "it is not as this program wrote it");
        serde_json::from_str::<Stored>(json)?.book()
    }
}

/// What stands in the first line: disks do not always return what was written. It keeps nobody out.
fn sum(json: &[u8]) -> [u8; 32] {
    labelled_hash("phone state", &[json])
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    key: String,
    root: String,
    issuer: String,
    key_list: String,
    links: Vec<String>,
    credentials: Vec<(String, String)>,
    in_use: Option<(String, String)>,
    payments: Vec<StoredEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredEntry {
    payment: String,
    payee: String,
    token: String,
    over: bool,
}

impl Stored {
    fn of(book: &Book) -> Self {
        let of_key = |key: &PublicKey| hex(key.as_bytes());
        let entry = |entry: &Entry| StoredEntry {
            payment: hex(&entry.payment.to_bytes()),
            payee: entry.payee.clone(),
            token: hex(&entry.token),
            over: entry.over,
        };
        Self {
            key: hex(book.key.expose()),
            root: hex(book.root.as_bytes()),
            issuer: book.issuer.clone(),
            key_list: hex(&book.key_list),
            links: book.bands.iter().map(|link| hex(link.to_bytes().as_slice())).collect(),
            credentials: book.credentials.iter().map(|(band, object)| (of_key(band), hex(object))).collect(),
            in_use: book.in_use.as_ref().map(|(band, place)| (of_key(band), place.clone())),
            payments: book.payments.iter().map(entry).collect(),
        }
    }

    fn book(&self) -> Result<Book> {
        let root = RootKey::from_bytes(array(&self.root)?).context("not a root key")?;
        let mut book = Book::new(OwnKey::new(Zeroizing::new(array(&self.key)?))?, root, self.issuer.clone());
        book.key_list = unhex(&self.key_list)?;
        for link in &self.links {
            book.bands.add(Link::from_bytes(&Zeroizing::new(array(link)?)).context("not a link")?);
        }
        for (band, object) in &self.credentials {
            book.credentials.push((PublicKey::new(array(band)?), unhex(object)?));
        }
        if let Some((band, place)) = &self.in_use {
            book.in_use = Some((PublicKey::new(array(band)?), place.clone()));
        }
        for entry in &self.payments {
            let payment = Payment::from_bytes(&unhex(&entry.payment)?, &root.fingerprint()).context("not a payment")?;
            let (payee, token) = (entry.payee.clone(), unhex(&entry.token)?);
            book.payments.push(Entry { payment, payee, token, over: entry.over });
        }
        Ok(book)
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.key.zeroize();
        self.links.zeroize();
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes out of hexadecimal.
///
/// # Errors
/// It is not that.
pub fn unhex(text: &str) -> Result<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = Zeroizing::new(digits.context("not hexadecimal")?);
    ensure!(digits.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Exactly `N` bytes out of hexadecimal.
///
/// # Errors
/// It is not that.
pub fn array<const N: usize>(text: &str) -> Result<[u8; N]> {
    let bytes = Zeroizing::new(unhex(text)?);
    bytes.as_slice().try_into().with_context(|| format!("{} bytes in hexadecimal where {N} belong", bytes.len()))
}
