//! What signed objects say, read by hand out of the layouts in SPEC.md: the world's own record does not ask the crates that it judges.

/// How a token was unlocked and agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// 0 locked, 1 by the wallet, above by the wearer.
    pub(crate) unlocking: u8,
    /// 0 none, 1 a press, 2 a fresh unlock and a press.
    pub(crate) gesture: u8,
    pub(crate) online_only: bool,
}

/// The body of a payment token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) credential: [u8; 8],
    pub(crate) payee: [u8; 9],
    pub(crate) request: [u8; 32],
    pub(crate) amount: u64,
    pub(crate) counter: u32,
    pub(crate) cumulative: u64,
    pub(crate) presence: Presence,
}

/// The body of a receipt, as far as the record wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) token: [u8; 32],
    pub(crate) settled: bool,
}

/// How many bytes stand before a body.
pub(crate) const SIGNATURE: usize = 64;

/// Takes bytes from the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
}

impl Token {
    pub(crate) const LEN: usize = 75;

    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut reader = Reader(body.get(..Self::LEN)?);
        let [5] = reader.take()? else { return None };
        let (credential, payee, request) = (reader.take()?, reader.take()?, reader.take()?);
        let amount = u64::from_le_bytes(reader.take()?);
        let _currency: [u8; 2] = reader.take()?;
        let (counter, cumulative) = (u32::from_le_bytes(reader.take()?), u64::from_le_bytes(reader.take()?));
        let _minutes: [u8; 2] = reader.take()?;
        let [bits] = reader.take()?;
        let presence = Presence { unlocking: bits & 7, gesture: bits >> 3 & 3, online_only: bits & 32 != 0 };
        Some(Self { credential, payee, request, amount, counter, cumulative, presence })
    }

    /// Whether no band signs both.
    pub(crate) const fn collides_with(&self, other: &Self) -> bool {
        let ((start, end), (other_start, other_end)) = (self.interval(), other.interval());
        self.counter == other.counter || (start < other_end && other_start < end)
    }

    /// What was signed before it, and with it.
    pub(crate) const fn interval(&self) -> (u64, u64) {
        (self.cumulative.saturating_sub(self.amount), self.cumulative)
    }
}

impl Receipt {
    pub(crate) fn read(object: &[u8]) -> Option<Self> {
        let mut reader = Reader(object.get(SIGNATURE..)?);
        let [6] = reader.take()? else { return None };
        let _key: [u8; 2] = reader.take()?;
        let token = reader.take()?;
        let [outcome] = reader.take()?;
        Some(Self { token, settled: outcome == 1 })
    }
}

/// Of a refund: the token that it is of, and how much it gives back.
pub(crate) fn refund(object: &[u8]) -> Option<([u8; 32], u64)> {
    let mut reader = Reader(object.get(SIGNATURE..)?);
    let [8] = reader.take()? else { return None };
    let _payee: [u8; 9] = reader.take()?;
    Some((reader.take()?, u64::from_le_bytes(reader.take()?)))
}

/// Of a refund's receipt: the refund, and whether the money went back.
pub(crate) fn refund_receipt(object: &[u8]) -> Option<([u8; 32], bool)> {
    let mut reader = Reader(object.get(SIGNATURE..)?);
    let [9] = reader.take()? else { return None };
    let _key: [u8; 2] = reader.take()?;
    let refund = reader.take()?;
    let _token: [u8; 32] = reader.take()?;
    let [outcome] = reader.take()?;
    Some((refund, outcome == 1))
}
