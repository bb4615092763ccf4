//! Handshake patterns as data (Noise §7 and §9).

use Token::{E, Ee, Es, Psk, S, Se, Ss};

/// One step of a message (Noise §5.3 and §9.2). Of the four two-letter tokens the first letter is the initiator's key, the second the
/// responder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The sender's ephemeral public key.
    E,
    /// The sender's static public key, encrypted once there is a key.
    S,
    /// Diffie–Hellman of ephemeral and ephemeral.
    Ee,
    /// Diffie–Hellman of the initiator's ephemeral and the responder's static key.
    Es,
    /// Diffie–Hellman of the initiator's static and the responder's ephemeral key.
    Se,
    /// Diffie–Hellman of static and static.
    Ss,
    /// The pre-shared key is mixed in.
    Psk,
}

/// Who says what, and in which order. The initiator writes the first message, the responder the second, and so on.
#[derive(Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The whole protocol name (Noise §8).
    pub name: &'static str,
    /// Whether the responder knows the initiator's static key beforehand (`-> s` as a pre-message).
    pub initiator_known: bool,
    /// Whether the initiator knows the responder's static key beforehand (`<- s` as a pre-message).
    pub responder_known: bool,
    /// The tokens of each message.
    pub messages: &'static [&'static [Token]],
}

impl Pattern {
    /// Whether a pre-shared key is part of it. Ephemeral keys are then mixed into the key too (Noise §9.2).
    pub(crate) fn has_psk(&self) -> bool {
        self.messages.iter().any(|tokens| tokens.contains(&Psk))
    }
}

/// Neither knows the other: both static keys are sent (Noise §7.5).
pub const XX: Pattern = Pattern {
    name: "Noise_XX_25519_ChaChaPoly_BLAKE2s",
    initiator_known: false,
    responder_known: false,
    messages: &[&[E], &[E, Ee, S, Es], &[S, Se]],
};

/// [`XX`] between two who share a secret (Noise §9.4).
pub const XXPSK0: Pattern = Pattern {
    name: "Noise_XXpsk0_25519_ChaChaPoly_BLAKE2s",
    initiator_known: false,
    responder_known: false,
    messages: &[&[Psk, E], &[E, Ee, S, Es], &[S, Se]],
};

/// Each knows the other's static key, and they share a secret (Noise §7.5 and §9.4).
pub const KKPSK0: Pattern = Pattern {
    name: "Noise_KKpsk0_25519_ChaChaPoly_BLAKE2s",
    initiator_known: true,
    responder_known: true,
    messages: &[&[Psk, E, Es, Ss], &[E, Ee, Se]],
};

/// No static keys: a shared secret alone says who it is (Noise §9.4).
pub const NNPSK0: Pattern = Pattern {
    name: "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s",
    initiator_known: false,
    responder_known: false,
    messages: &[&[Psk, E], &[E, Ee]],
};

/// The initiator knows the responder's static key and sends its own (Noise §7.5).
pub const IK: Pattern = Pattern {
    name: "Noise_IK_25519_ChaChaPoly_BLAKE2s",
    initiator_known: false,
    responder_known: true,
    messages: &[&[E, Es, S, Ss], &[E, Ee, Se]],
};
