//! Many signatures at once, by the same criterion.
//!
//! The equations of all signatures, each multiplied by a random number of 128 bits, are added up: `Σ zᵢ(Rᵢ + [kᵢ]Aᵢ − [Sᵢ]B)`. Eight times
//! that is zero if all of them hold. If one does not, it is zero for one in 2¹²⁸ choices of the numbers at most, since eight times each
//! equation is in the group of prime order. That is why the criterion has the cofactor: without it, parts of small order cancel out in one
//! choice of two, four or eight, and the answer is chance ("Taming the many EdDSAs", section 4).
//!
//! A sum that is not zero is bisected. The numbers stay the same, so that what is left of a sum without its first half is the second half's.

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use rand_core::TryCryptoRng;

use super::Equation;

/// So few signatures are verified one by one: their sum would cost no less.
const FEW: usize = 2;

/// A signature's equation, with what it needs in a sum.
struct Term {
    /// The encoded key: signatures of one key share a multiplication.
    key: [u8; 32],
    equation: Equation,
    /// The random number.
    z: Scalar,
    /// Where the signature stands among all.
    at: usize,
}

/// Which of these signatures are valid: key and equation of each, `None` where [`Equation::new`] gave none.
///
/// Where `rng` fails, each is verified by itself: the answer is the same and takes longer.
pub(crate) fn valid<R: TryCryptoRng + ?Sized>(signatures: &[([u8; 32], Option<Equation>)], rng: &mut R) -> Vec<bool> {
    let terms: Option<Vec<Term>> = signatures
        .iter()
        .enumerate()
        .filter_map(|(at, (key, equation))| Some((at, *key, (*equation)?)))
        .map(|(at, key, equation)| Some(Term { key, equation, z: coefficient(rng)?, at }))
        .collect();
    let Some(terms) = terms else {
        return signatures.iter().map(|(_, equation)| equation.is_some_and(|equation| equation.holds())).collect();
    };
    let mut valid = Vec::new();
    valid.resize(signatures.len(), false);
    judge(&terms, sum(&terms), &mut valid);
    valid
}

/// 128 random bits; `None` where there are none.
fn coefficient<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Option<Scalar> {
    let mut bytes = [0; 16];
    rng.try_fill_bytes(&mut bytes).ok()?;
    Some(u128::from_le_bytes(bytes).into())
}

/// Notes which of `terms` are valid; `sum` is theirs.
fn judge(terms: &[Term], sum_of_terms: EdwardsPoint, valid: &mut [bool]) {
    let mut note = |term: &Term, holds: bool| {
        if let Some(valid) = valid.get_mut(term.at) {
            *valid = holds;
        }
    };
    if sum_of_terms.mul_by_cofactor().is_identity() {
        terms.iter().for_each(|term| note(term, true));
    } else if terms.len() <= FEW {
        terms.iter().for_each(|term| note(term, term.equation.holds()));
    } else {
        let (first, second) = terms.split_at(terms.len() / 2);
        let sum_of_first = sum(first);
        judge(first, sum_of_first, valid);
        judge(second, sum_of_terms - sum_of_first, valid);
    }
}

/// `Σ zᵢ(Rᵢ + [kᵢ]Aᵢ − [Sᵢ]B)`, in which each key occurs once.
fn sum(terms: &[Term]) -> EdwardsPoint {
    let mut base = Scalar::ZERO;
    let mut keys = BTreeMap::new();
    for Term { key, equation, z, .. } in terms {
        base -= z * equation.s;
        keys.entry(key).or_insert((Scalar::ZERO, equation.a)).0 += z * equation.k;
    }
    let base = [(base, ED25519_BASEPOINT_POINT)];
    let nonces = terms.iter().map(|term| (term.z, term.equation.r));
    let (scalars, points): (Vec<_>, Vec<_>) = base.into_iter().chain(keys.into_values()).chain(nonces).unzip();
    EdwardsPoint::vartime_multiscalar_mul(scalars, points)
}

#[cfg(test)]
mod tests;
