//! The band's storage, as it should be, and as it must not be.

use std::collections::BTreeMap;

use armring_band::StoreKey;
use armring_flash::{BandStore, Error, block_on};
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

use crate::common::{Failure, Flash};

pub(crate) const PAGES: usize = 11;
const LEN: u32 = 11 * 1024;

pub(crate) type Chip = Flash<4, 1024>;
pub(crate) type Values = BTreeMap<u8, Vec<u8>>;

/// What the band asks its storage for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Store(StoreKey, Vec<u8>),
    Erase(StoreKey),
    EraseAll,
}

impl Change {
    pub(crate) fn make(&self, values: &mut Values) {
        match self {
            Self::Store(key, value) => drop(values.insert(key.as_u8(), value.clone())),
            Self::Erase(key) => drop(values.remove(&key.as_u8())),
            Self::EraseAll => values.clear(),
        }
    }

    fn is_token(&self) -> bool {
        matches!(self, Self::Store(key, _) if key.as_u8() & 0xF0 == 0x50)
    }
}

/// In which order things are done. All but the first are wrong, and each has to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Right,
    /// What is to be stored is written when everything that hangs on it has happened.
    AcknowledgesFirst,
    /// Likewise, tokens alone.
    SignsFirst,
    /// Tokens are not stored at all.
    CountsInMemory,
    /// What was paid without a gesture is not stored with a token.
    ForgetsFree,
    /// The old value is erased, then the new one is stored.
    ErasesFirst,
    /// A reset and an unpairing erase in the opposite order.
    ErasesBackwards,
    /// Nothing is purged: sequential storage alone.
    NeverPurges,
    /// Nothing marks an erasing that was cut short: likewise.
    NeverMarks,
    /// The wallet does not store its link before it introduces itself.
    WalletKeepsLate,
}

#[expect(clippy::large_enum_variant, reason = "there is one")]
enum Keeper {
    Proper(BandStore<Chip>),
    Plain(MapStorage<u8, Chip, Cache<Uncached, Uncached, Uncached, u8>>),
}

pub(crate) struct Disk {
    keeper: Keeper,
    pub(crate) order: Order,
    /// What was acknowledged and not yet done.
    late: Vec<Change>,
}

impl Disk {
    pub(crate) fn mount(chip: &Chip, order: Order) -> Result<Self, Error<Failure>> {
        let keeper = match order {
            Order::NeverPurges | Order::NeverMarks => {
                Keeper::Plain(MapStorage::new(chip.clone(), const { MapConfig::new(0..LEN) }, Cache::new_uncached()))
            }
            _ => Keeper::Proper(block_on(BandStore::mount(chip.clone(), 0..LEN))?),
        };
        Ok(Self { keeper, order, late: Vec::new() })
    }

    pub(crate) fn values(&mut self) -> Result<Values, String> {
        let mut values = Values::new();
        match &mut self.keeper {
            Keeper::Proper(store) => {
                let result = block_on(store.read_all(|key, value| drop(values.insert(key.as_u8(), value.to_vec()))));
                result.map_err(|error| error.to_string())?;
            }
            Keeper::Plain(map) => {
                for key in StoreKey::all() {
                    let mut buffer = [0; 600];
                    let value = block_on(map.fetch_item::<&[u8]>(&mut buffer, &key.as_u8()));
                    values.extend(value.map_err(|error| format!("{error:?}"))?.map(|value| (key.as_u8(), value.to_vec())));
                }
            }
        }
        values.retain(|_, value| !value.is_empty());
        Ok(values)
    }

    /// Whether the band may be told that it is stored.
    pub(crate) fn change(&mut self, change: &Change) -> bool {
        match (self.order, change) {
            (Order::AcknowledgesFirst, _) => self.late.push(change.clone()),
            (Order::SignsFirst, _) if change.is_token() => self.late.push(change.clone()),
            (Order::CountsInMemory, _) if change.is_token() => {}
            (Order::ForgetsFree, Change::Store(key, value)) if change.is_token() => {
                let mut value = value.clone();
                value[75..85].fill(0);
                return self.now(&Change::Store(*key, value));
            }
            (Order::ErasesFirst, Change::Store(key, _)) => return self.now(&Change::Erase(*key)) && self.now(change),
            (Order::ErasesBackwards, Change::EraseAll) => {
                let keys: Vec<_> = StoreKey::all().collect();
                return keys.into_iter().rev().all(|key| self.now(&Change::Erase(key)));
            }
            _ => return self.now(change),
        }
        true
    }

    pub(crate) fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Does what was acknowledged before.
    pub(crate) fn catch_up(&mut self) -> bool {
        std::mem::take(&mut self.late).iter().all(|change| self.now(change))
    }

    fn now(&mut self, change: &Change) -> bool {
        match (&mut self.keeper, change) {
            (Keeper::Proper(store), Change::Store(key, value)) => block_on(store.store(*key, value)).is_ok(),
            (Keeper::Proper(store), Change::Erase(key)) => block_on(store.erase(*key)).is_ok(),
            (Keeper::Proper(store), Change::EraseAll) => block_on(store.erase_all()).is_ok(),
            (Keeper::Plain(map), Change::EraseAll) => block_on(map.erase_all()).is_ok(),
            (Keeper::Plain(map), Change::Store(key, value)) => {
                block_on(map.store_item(&mut [0; 600], &key.as_u8(), &value.as_slice())).is_ok()
            }
            (Keeper::Plain(map), Change::Erase(key)) => {
                block_on(map.store_item(&mut [0; 600], &key.as_u8(), &[0u8; 0].as_slice())).is_ok()
            }
        }
    }
}
