//! How the one command steers the processes: a line of JSON on their standard input for what a person does, a line on their standard output
//! for what happened. None of it is part of the protocol.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use armring_wire::UnixTime;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What a wearer does with a band.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum BandCommand {
    PutOn,
    TakeOff,
    /// The right tap pattern.
    TapPattern,
    Press,
    DoublePress,
    Hold,
}

/// What a person does with a phone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum PhoneCommand {
    Pair {
        band: String,
    },
    AcceptCode,
    Connect {
        band: String,
    },
    Enrol {
        code: String,
    },
    Pay {
        payee: String,
        address: String,
    },
    /// Ask for money: the phone then waits for a payer's phone.
    Receive {
        minor: u64,
        memo: String,
    },
    HangUp,
}

/// What a shopkeeper does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum ShopCommand {
    TakeCertificate {
        certificate: String,
        key_list: String,
    },
    Sell {
        minor: u64,
        memo: String,
    },
    /// Send the last token to the issuer again.
    RedeemAgain,
}

/// What the issuer's operator, or a user on the issuer's own page, does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum IssuerCommand {
    OpenAccount { name: String, minor: u64 },
    CertifyPayee { name: String, key: String },
    IssueCode { name: String },
    Digits { name: String },
    Confirm { name: String, digits: u32 },
    Books,
}

/// What happened in a process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Report {
    /// The process is up. Who listens says where; a shop also says its key.
    Ready {
        address: Option<String>,
        key: Option<String>,
    },
    /// The issuer's root key and key list.
    Root {
        root: String,
        key_list: String,
    },
    /// A message was on its way.
    Trace(Trace),
    /// A band tells its wearer something.
    Band(BandReport),
    /// A phone tells its person something.
    Phone(PhoneReport),
    Receipt {
        outcome: String,
        settled: bool,
        receipt: String,
    },
    Certificate {
        certificate: String,
    },
    Code {
        code: String,
    },
    Digits {
        digits: Option<u32>,
        shown: String,
    },
    Done,
    Books(Books),
    /// Something was not as it must be, and what was done about it.
    Complaint(String),
    /// What was asked for could not be done.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BandReport {
    /// No phone is connected any more.
    Alone,
    PairingOpen,
    PairingClosed,
    Code(String),
    Paired,
    Waiting(String),
    EnrolmentDigits {
        digits: u32,
        shown: String,
    },
    Paid {
        outcome: String,
        amount: String,
    },
    Received(String),
    Other(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PhoneReport {
    Code(String),
    Paired,
    Connected,
    Enrolled {
        credential: String,
        limits: String,
    },
    /// What there is to pay; verified, unless the payee is a wearer without a certificate.
    Offer {
        payee: String,
        memo: String,
        amount: String,
    },
    Waiting(String),
    Declined(String),
    Listening {
        address: String,
        amount: String,
    },
}

/// One message from one process to another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trace {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) name: String,
    /// Bytes of the message as it left: sealed, where it is.
    pub(crate) message: usize,
    pub(crate) sealed: bool,
    pub(crate) fragments: usize,
    pub(crate) on_air: usize,
    /// Microseconds since 1970.
    pub(crate) at: u64,
}

/// How the issuer's books stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Books {
    pub(crate) balances: Vec<(String, i64)>,
    /// What an audit of the whole ledger found wrong.
    pub(crate) faults: Vec<String>,
    pub(crate) credentials: Vec<(String, String)>,
}

/// Tells the one command. If it is gone, so is the reason to run.
pub(crate) fn report(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Hands each command on standard input to `sender`, and [`None`] when there will be no more.
pub(crate) fn commands<C: DeserializeOwned + Send + 'static, T: From<Option<C>> + Send + 'static>(sender: Sender<T>) {
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(command) => {
                    if sender.send(Some(command).into()).is_err() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = report(&Report::Failed(format!("not a command: {error}")));
                }
            }
        }
        let _ = sender.send(None.into());
    });
}

/// Microseconds since 1970.
pub(crate) fn micros() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

/// The calendar, as this machine has it.
pub(crate) fn calendar() -> UnixTime {
    UnixTime::from_secs(u32::try_from(micros() / 1_000_000).unwrap_or(u32::MAX))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex(text: &str) -> anyhow::Result<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()
        .ok_or_else(|| anyhow::anyhow!("'{text}' is not hexadecimal"))?;
    anyhow::ensure!(digits.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

/// Exactly `N` bytes in hexadecimal.
pub(crate) fn unhex_array<const N: usize>(text: &str) -> anyhow::Result<[u8; N]> {
    <[u8; N]>::try_from(unhex(text)?).map_err(|bytes| anyhow::anyhow!("{} bytes where {N} belong", bytes.len()))
}
