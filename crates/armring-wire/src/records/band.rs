//! Between wallet and band, inside the channel of their link.

use postcard::experimental::max_size::MaxSize;
use serde::{Deserialize, Serialize};

use super::{CREDENTIAL_MAX, KEY_LIST_MAX, MEMO_MAX, Object, RELAY_MAX};
use crate::amount::Amount;
use crate::bounded::{Opaque, Text};
use crate::code::codes;
use crate::codec::Record;
use crate::id::{CredentialId, EnrolmentCode};
use crate::time::UnixTime;
use crate::version::VersionRange;

/// What a wallet says to a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToBand<'a> {
    /// The wallet's person accepted the code: the wallet's share of the link secret.
    Confirm {
        /// 32 random bytes.
        share: [u8; 32],
    },
    /// Asks for [`ToWallet::Status`].
    Status,
    /// Enrol with an issuer. The band answers with [`ToWallet::EnrolStart`].
    Enrol {
        /// What ties the enrolment to the signed-in user.
        code: EnrolmentCode,
        /// The issuer's key list, signed by the root that the band has pinned.
        #[serde(borrow)]
        key_list: Opaque<'a, KEY_LIST_MAX>,
    },
    /// The issuer's next message of the enrolment, which the wallet cannot read.
    FromIssuer(#[serde(borrow)] Opaque<'a, RELAY_MAX>),
    /// The phone's own biometric recognised its owner. It unlocks a worn band and counts as the weakest way to do so.
    Unlock,
    /// Pay this request. The band answers with [`ToWallet::Waiting`], then with [`ToWallet::Token`] or [`ToWallet::Declined`].
    Pay {
        /// A signed payment request.
        #[serde(borrow)]
        request: Object<'a>,
    },
    /// Ask for money in the wearer's name. The band answers with [`ToWallet::Waiting`], then [`ToWallet::Request`] or a refusal.
    Receive {
        /// How much.
        amount: Amount,
        /// Until when the request may be paid.
        expiry: UnixTime,
        /// Shown to the payer.
        #[serde(borrow)]
        memo: Text<'a, MEMO_MAX>,
    },
    /// The receipt of a payment that the band signed.
    Paid {
        /// A signed receipt.
        #[serde(borrow)]
        receipt: Object<'a>,
    },
    /// The receipt of a payment that the band asked for, with the token that it is for.
    Received {
        /// The payer's signed token.
        #[serde(borrow)]
        token: Object<'a>,
        /// The receipt for it.
        #[serde(borrow)]
        receipt: Object<'a>,
    },
    /// Gives up what waits for a gesture.
    Cancel,
    /// A newer issuer's key list, so that the band knows its latest keys.
    KeyList(#[serde(borrow)] Opaque<'a, KEY_LIST_MAX>),
    /// The band's record had this variant, which the wallet does not know.
    Unknown(u32),
    /// The first record after a reconnect: how often the wallet remembers that this link was reconnected. It also proves to the band that
    /// message 1 was no replay. The band answers with [`ToWallet::Generation`].
    Generation {
        /// The generation that the wallet remembers.
        generation: u32,
        /// How many reconnects it began since then without hearing the band's answer.
        lost: u8,
    },
    /// Pay this request, and here is who asks: what a band with a display verifies and shows. Else as [`ToBand::Pay`].
    PayTo {
        /// A signed payment request.
        #[serde(borrow)]
        request: Object<'a>,
        /// The payee's certificate; or the credential that stands in for it.
        #[serde(borrow)]
        certificate: Opaque<'a, CREDENTIAL_MAX>,
    },
    /// Forget this link, with its credential and payment key. The band answers with [`ToWallet::Waiting`], then [`ToWallet::Unpaired`].
    Unpair,
    /// Forget all other links, as that of a lost phone. The band answers with [`ToWallet::Waiting`], then [`ToWallet::Noted`].
    UnpairOthers,
    /// Let the next pairing take the place of this link: its credential moves to the new one. The band answers with
    /// [`ToWallet::Waiting`], then opens its pairing window and says [`ToWallet::Noted`].
    Replace,
}

impl<'a> Record<'a> for ToBand<'a> {
    const VARIANTS: u32 = 17;
}

/// What a band says to its wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub enum ToWallet<'a> {
    /// The band's person accepted the code, the wallet confirmed, and the provisional link is stored: the band's share of the link secret.
    Confirm {
        /// 32 random bytes.
        share: [u8; 32],
    },
    /// How the band is.
    Status(Status),
    /// The band's next message of the enrolment after [`EnrolStart`](Self::EnrolStart), for the issuer, which the wallet cannot read.
    ToIssuer(#[serde(borrow)] Opaque<'a, RELAY_MAX>),
    /// The band has stored a credential. Its wearer sees digits to be confirmed with the issuer, outside this wallet.
    Enrolled {
        /// The signed credential.
        #[serde(borrow)]
        credential: Opaque<'a, CREDENTIAL_MAX>,
    },
    /// The band waits for its wearer.
    Waiting(Awaited),
    /// The signed token that answers [`ToBand::Pay`].
    Token {
        /// A signed payment token.
        #[serde(borrow)]
        token: Object<'a>,
    },
    /// The signed request that answers [`ToBand::Receive`].
    Request {
        /// A signed payment request.
        #[serde(borrow)]
        request: Object<'a>,
    },
    /// The band does not do what it was asked.
    Declined(Decline),
    /// The band has taken note: of a receipt, a key list, an unlocking, a cancelling.
    Noted,
    /// The wallet's record had this variant, which the band does not know.
    Unknown(u32),
    /// Answers [`ToBand::Generation`]: how often the band remembers that this link was reconnected, before now.
    Generation {
        /// The generation that the band remembers.
        generation: u32,
    },
    /// The band's first message of an enrolment, for the issuer, with the versions that the band speaks: both are in the handshake's
    /// prologue.
    EnrolStart {
        /// What the band speaks.
        versions: VersionRange,
        /// Message 1 of the enrolment's handshake.
        #[serde(borrow)]
        message: Opaque<'a, RELAY_MAX>,
    },
    /// The band has forgotten this link: so should the wallet.
    Unpaired,
}

impl<'a> Record<'a> for ToWallet<'a> {
    const VARIANTS: u32 = 13;
}

/// How a band is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, MaxSize)]
pub struct Status {
    /// On the wrist.
    pub worn: bool,
    /// Unlocked since it was put on.
    pub unlocked: bool,
    /// The credential that it pays with over this link.
    pub credential: Option<CredentialId>,
}

codes!(
    /// What the band waits for. On the wire 1 byte.
    Awaited {
        /// One press, to pay.
        PayGesture = 1, "a press on the band, to pay";
        /// Two presses, to receive.
        ReceiveGesture = 2, "a double press on the band, to receive";
        /// To be unlocked anew, since the amount is above the press limit; then the press.
        FreshUnlock = 3, "the band to be unlocked, then a press: the amount is large";
        /// The gesture that unpairs.
        UnpairGesture = 4, "the unpair gesture on the band, to forget a link";
        /// The gesture that opens the pairing window.
        ReplaceGesture = 5, "the pairing gesture on the band, to let another link take the place of this one";
    }
);

codes!(
    /// Why a band declines. On the wire 1 byte.
    Decline {
        /// It is not on a wrist.
        NotWorn = 1, "the band is not worn";
        /// It was not unlocked since it was put on.
        Locked = 2, "the band is locked";
        /// It has no credential for this link.
        NoCredential = 3, "the band has no credential for this wallet";
        /// The credential does not allow this, or is of another currency.
        NotAllowed = 4, "the credential does not allow this";
        /// The amount is above the credential's limit for one payment.
        OverLimit = 5, "the amount is above the limit";
        /// The request or receipt is not valid: not an object of this issuer, or not meant for this band.
        Invalid = 6, "the object is not valid here";
        /// Older than the latest time that the issuer has signed.
        Expired = 7, "it has expired";
        /// Something else waits for the wearer.
        Busy = 8, "the band is busy with something else";
        /// The wearer did not make the gesture in time, took the band off, or the wallet cancelled.
        NoGesture = 9, "the gesture was not made";
        /// The band could not store what must last, or draw random bytes.
        Machine = 10, "the band could not store what must last";
        /// Everything that the credential can ever sign is spent: counter or total would overflow.
        Exhausted = 11, "the credential has signed all that it can";
        /// The issuer refused the enrolment, or its messages were not what they must be.
        EnrolmentFailed = 12, "the issuer refused the enrolment";
        /// A credential is on this link already.
        AlreadyEnrolled = 13, "there is a credential on this link already";
        /// A band with a display pays only what it can verify and show: it wants to be told who asks.
        Unshown = 14, "the band shows who asks before it pays, and was not told";
    }
);
