//! How ledgers in a database write what has few values.

use armring_token::Gesture;
use armring_wire::{Currency, RefundDigest, TokenDigest};

use super::super::credential::CredentialState;
use super::super::model::{DepositRef, Reference};
use crate::error::MachineError;

pub(in super::super) fn currency(code: u16) -> Result<Currency, MachineError> {
    Currency::from_numeric(code).ok_or(MachineError::Damaged("a currency has no code"))
}

/// How what an entry is for is written: which kind, and its bytes.
pub(in super::super) const fn reference_columns(reference: &Reference) -> (u8, &[u8]) {
    match reference {
        Reference::Deposit(DepositRef(reference)) => (0, reference),
        Reference::Payment(TokenDigest(digest)) => (1, digest),
        Reference::Refund(RefundDigest(digest)) => (2, digest),
    }
}

pub(in super::super) fn reference(kind: u8, bytes: &[u8]) -> Result<Reference, MachineError> {
    const NO_CAUSE: MachineError = MachineError::Damaged("an entry has no cause");
    Ok(match kind {
        0 => Reference::Deposit(DepositRef(bytes.try_into().map_err(|_| NO_CAUSE)?)),
        1 => Reference::Payment(TokenDigest(bytes.try_into().map_err(|_| NO_CAUSE)?)),
        2 => Reference::Refund(RefundDigest(bytes.try_into().map_err(|_| NO_CAUSE)?)),
        _ => return Err(NO_CAUSE),
    })
}

/// How a credential's state is written, where it is not frozen. Version 1 wrote 2 for frozen.
pub(in super::super) const fn state_code(unfrozen: CredentialState) -> u8 {
    match unfrozen {
        CredentialState::Inactive => 0,
        CredentialState::Active => 1,
        CredentialState::Frozen => 2,
        CredentialState::Cancelled => 3,
        CredentialState::Cloned => 4,
        CredentialState::Revoked => 5,
    }
}

pub(in super::super) fn state(code: u8) -> Result<CredentialState, MachineError> {
    match code {
        0 => Ok(CredentialState::Inactive),
        1 => Ok(CredentialState::Active),
        3 => Ok(CredentialState::Cancelled),
        4 => Ok(CredentialState::Cloned),
        5 => Ok(CredentialState::Revoked),
        _ => Err(MachineError::Damaged("a credential has no such state")),
    }
}

/// How a token's gesture is written.
pub(in super::super) const fn gesture_code(gesture: Gesture) -> u8 {
    match gesture {
        Gesture::None => 0,
        Gesture::Press => 1,
        Gesture::FreshUnlock => 2,
    }
}
