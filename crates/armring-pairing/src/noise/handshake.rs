//! A handshake in progress (Noise §5.3).

use core::fmt;

use armring_channel::{HandshakeHash, TAG_LEN};

use super::pattern::{Pattern, Token};
use super::split::Split;
use super::symmetric::{Sealing, SymmetricState};
use crate::dh::{DiffieHellman, PublicKey};
use crate::error::{CallerError, Error, PeerError};
use crate::link::Psk;
use crate::suite::{RustCrypto, Suite};

/// Which side of a handshake one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Writes the first message.
    Initiator,
    /// Reads the first message.
    Responder,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// What one side brings along.
pub struct Keys<'k, S: Suite = RustCrypto> {
    /// One's own static key, where the other side knows it beforehand.
    pub own: Option<&'k dyn DiffieHellman>,
    /// The peer's static public key, where it is known beforehand.
    pub peer: Option<PublicKey>,
    /// The secret that both share, where the pattern has one.
    pub psk: Option<Psk>,
    /// A key that no other handshake uses.
    pub ephemeral: S::Ephemeral,
}

/// A handshake in progress. Each step consumes it and returns what comes after, so that a step that fails ends it.
///
/// One's own static key is not kept in between but handed to each step: it must be the same each time, or the peer will refuse.
pub struct HandshakeState<S: Suite = RustCrypto> {
    pattern: &'static Pattern,
    side: Side,
    symmetric: SymmetricState<S::Aead>,
    ephemeral: S::Ephemeral,
    peer_static: Option<PublicKey>,
    peer_ephemeral: Option<PublicKey>,
    psk: Option<Psk>,
    messages_done: usize,
}

impl<S: Suite> HandshakeState<S> {
    /// Noise `Initialize`: both sides must give the same pattern and prologue.
    ///
    /// # Errors
    ///
    /// [`CallerError::MissingKey`] if the pattern needs a key that `keys` does not have; [`PeerError::EchoedKey`] if the peer's key is our
    /// own.
    pub fn new(pattern: &'static Pattern, side: Side, prologue: &[u8], keys: Keys<'_, S>) -> Result<Self, Error> {
        let Keys { own, peer, psk, ephemeral } = keys;
        if let (Some(own), Some(peer)) = (own, &peer) {
            refuse_echo(peer, &own.public_key())?;
        }
        let psk = if pattern.has_psk() { Some(psk.ok_or(CallerError::MissingKey)?) } else { None };
        let mut symmetric = SymmetricState::new(pattern.name);
        symmetric.mix_hash(prologue);
        let own = own.map(DiffieHellman::public_key);
        let (initiator, responder) = match side {
            Side::Initiator => (own, peer),
            Side::Responder => (peer, own),
        };
        for (known, key) in [(pattern.initiator_known, initiator), (pattern.responder_known, responder)] {
            if known {
                symmetric.mix_hash(key.ok_or(CallerError::MissingKey)?.as_bytes());
            }
        }
        Ok(Self { pattern, side, symmetric, ephemeral, peer_static: peer, peer_ephemeral: None, psk, messages_done: 0 })
    }

    /// The hash of everything said so far: the same on both sides if they said the same.
    #[must_use]
    pub fn hash(&self) -> HandshakeHash {
        self.symmetric.hash()
    }

    /// The peer's static public key, once it is known. It is the peer's only when the handshake is through.
    #[must_use]
    pub fn peer(&self) -> Option<PublicKey> {
        self.peer_static
    }

    /// How many bytes longer than its payload the next message is; zero when there is none.
    #[must_use]
    pub fn overhead(&self) -> usize {
        let mut sealed = self.symmetric.has_key();
        let tag = |sealed: bool| if sealed { TAG_LEN } else { 0 };
        let mut length = 0;
        for token in self.pattern.messages.get(self.messages_done).copied().unwrap_or_default() {
            match token {
                Token::E => {
                    length += PublicKey::LEN;
                    sealed |= self.psk.is_some();
                }
                Token::S => length += PublicKey::LEN + tag(sealed),
                Token::Ee | Token::Es | Token::Se | Token::Ss | Token::Psk => sealed = true,
            }
        }
        length + tag(sealed)
    }

    /// Noise `WriteMessage`: `message` must be [`overhead`](Self::overhead) bytes longer than `payload`.
    ///
    /// # Errors
    ///
    /// [`CallerError`] if the lengths, the turn or the keys are wrong; what [`DiffieHellman::diffie_hellman`] says.
    pub fn write(mut self, own: Option<&dyn DiffieHellman>, payload: &[u8], message: &mut [u8]) -> Result<Self, Error> {
        let mut tokens = self.turn_of(self.side)?;
        if message.len().checked_sub(self.overhead()) != Some(payload.len()) {
            return Err(CallerError::Length.into());
        }
        let mut rest = message;
        while let Some((token, following)) = tokens.split_first() {
            match token {
                Token::E => {
                    let public = self.ephemeral.public_key();
                    let (field, after) = rest.split_at_mut_checked(PublicKey::LEN).ok_or(CallerError::Length)?;
                    field.copy_from_slice(public.as_bytes());
                    self.mix_ephemeral(&public, sealing(following));
                    rest = after;
                }
                Token::S => {
                    let public = own.ok_or(CallerError::MissingKey)?.public_key();
                    let (field, after) = rest.split_at_mut_checked(self.static_len()).ok_or(CallerError::Length)?;
                    self.symmetric.encrypt_and_hash(public.as_bytes(), field)?;
                    rest = after;
                }
                Token::Ee | Token::Es | Token::Se | Token::Ss | Token::Psk => self.mix(*token, own, sealing(following))?,
            }
            tokens = following;
        }
        self.symmetric.encrypt_and_hash(payload, rest)?;
        self.messages_done += 1;
        Ok(self)
    }

    /// Noise `ReadMessage`: `payload` must be [`overhead`](Self::overhead) bytes shorter than `message`.
    ///
    /// # Errors
    ///
    /// [`PeerError`] if `message` is not what the peer sends here; [`CallerError`] if the turn or the keys are wrong; what
    /// [`DiffieHellman::diffie_hellman`] says. What `payload` then holds means nothing.
    pub fn read(mut self, own: Option<&dyn DiffieHellman>, message: &[u8], payload: &mut [u8]) -> Result<Self, Error> {
        let mut tokens = self.turn_of(self.side.other())?;
        if message.len().checked_sub(self.overhead()) != Some(payload.len()) {
            return Err(PeerError::Length.into());
        }
        let mut rest = message;
        while let Some((token, following)) = tokens.split_first() {
            match token {
                Token::E => {
                    let (public, after) = rest.split_first_chunk().ok_or(PeerError::Length)?;
                    let public = self.accept_key(*public, own)?;
                    self.mix_ephemeral(&public, sealing(following));
                    self.peer_ephemeral = Some(public);
                    rest = after;
                }
                Token::S => {
                    let (field, after) = rest.split_at_checked(self.static_len()).ok_or(PeerError::Length)?;
                    let mut public = [0; PublicKey::LEN];
                    self.symmetric.decrypt_and_hash(field, &mut public)?;
                    self.peer_static = Some(self.accept_key(public, own)?);
                    rest = after;
                }
                Token::Ee | Token::Es | Token::Se | Token::Ss | Token::Psk => self.mix(*token, own, sealing(following))?,
            }
            tokens = following;
        }
        self.symmetric.decrypt_and_hash(rest, payload)?;
        self.messages_done += 1;
        Ok(self)
    }

    /// Noise `Split`, after the last message.
    ///
    /// # Errors
    ///
    /// [`CallerError::Order`] if it was not the last.
    pub fn finish(self) -> Result<Split, Error> {
        if self.messages_done != self.pattern.messages.len() {
            return Err(CallerError::Order.into());
        }
        let [initiator, responder, resume] = self.symmetric.split();
        Ok(Split::new(self.side, self.hash(), &initiator, &responder, &resume))
    }

    /// The tokens of the next message, if it is for `side` to write it.
    fn turn_of(&self, side: Side) -> Result<&'static [Token], CallerError> {
        let writer = if self.messages_done.is_multiple_of(2) { Side::Initiator } else { Side::Responder };
        let tokens = self.pattern.messages.get(self.messages_done).ok_or(CallerError::Order)?;
        if side == writer { Ok(tokens) } else { Err(CallerError::Order) }
    }

    fn static_len(&self) -> usize {
        PublicKey::LEN + if self.symmetric.has_key() { TAG_LEN } else { 0 }
    }

    fn mix_ephemeral(&mut self, public: &PublicKey, sealing: Sealing) {
        self.symmetric.mix_hash(public.as_bytes());
        if self.psk.is_some() {
            self.symmetric.mix_key(public.as_bytes(), sealing);
        }
    }

    /// A public key that the peer sent: any but our own.
    fn accept_key(&self, bytes: [u8; PublicKey::LEN], own: Option<&dyn DiffieHellman>) -> Result<PublicKey, PeerError> {
        let received = PublicKey::new(bytes);
        refuse_echo(&received, &self.ephemeral.public_key())?;
        if let Some(own) = own {
            refuse_echo(&received, &own.public_key())?;
        }
        Ok(received)
    }

    /// The tokens that send nothing.
    fn mix(&mut self, token: Token, own: Option<&dyn DiffieHellman>, sealing: Sealing) -> Result<(), Error> {
        let own = || own.ok_or(CallerError::MissingKey);
        let ephemeral: &dyn DiffieHellman = &self.ephemeral;
        let (key, peer) = match (token, self.side) {
            (Token::E | Token::S, _) => return Ok(()),
            (Token::Psk, _) => {
                let psk = self.psk.as_ref().ok_or(CallerError::MissingKey)?;
                self.symmetric.mix_key_and_hash(psk.expose(), sealing);
                return Ok(());
            }
            (Token::Ee, _) => (ephemeral, self.peer_ephemeral),
            (Token::Es, Side::Initiator) | (Token::Se, Side::Responder) => (ephemeral, self.peer_static),
            (Token::Se, Side::Initiator) | (Token::Es, Side::Responder) => (own()?, self.peer_ephemeral),
            (Token::Ss, _) => (own()?, self.peer_static),
        };
        let shared = key.diffie_hellman(&peer.ok_or(CallerError::MissingKey)?)?;
        self.symmetric.mix_key(shared.as_bytes(), sealing);
        Ok(())
    }
}

impl<S: Suite> fmt::Debug for HandshakeState<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandshakeState")
            .field("pattern", &self.pattern.name)
            .field("side", &self.side)
            .field("messages_done", &self.messages_done)
            .finish_non_exhaustive()
    }
}

/// Whether something is sealed under the key of a token before `following` brings another: a static key, or the payload at the end.
fn sealing(following: &[Token]) -> Sealing {
    match following.first() {
        None | Some(Token::S) => Sealing::Follows,
        Some(Token::E | Token::Ee | Token::Es | Token::Se | Token::Ss | Token::Psk) => Sealing::Never,
    }
}

fn refuse_echo(received: &PublicKey, ours: &PublicKey) -> Result<(), PeerError> {
    if received.is_same_point(ours) { Err(PeerError::EchoedKey) } else { Ok(()) }
}
