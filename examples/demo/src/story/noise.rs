//! Noise on every door: whoever listens must complain, and change nothing.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use anyhow::{Context, Result};

/// What comes in from the street, by the layer that it reaches.
pub(crate) fn kinds() -> [(&'static str, Vec<u8>); 4] {
    let noise = |len: usize| pseudo_random(len, 0x9E37_79B9_7F4A_7C15);
    let framed = |payload: Vec<u8>| {
        let mut bytes = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_le_bytes().to_vec();
        bytes.extend(payload);
        bytes
    };
    // First and last fragment in one; a variant that every link has, and a length that is a lie.
    let mut record = vec![0xC0, 0x01, 0xFF, 0x7F];
    record.extend(noise(100));
    let mut continuation = vec![0x05];
    continuation.extend(noise(30));
    [
        ("bytes without any frame", [vec![0xFF, 0xFF], noise(400)].concat()),
        ("a payload cut off in the middle", framed(noise(200)).into_iter().take(100).collect()),
        ("a fragment that continues nothing", framed(continuation)),
        ("a whole record of noise", framed(record)),
    ]
}

/// Sends `bytes` to whoever listens at `address` and hangs up. Who complains at once may have hung up first.
pub(crate) fn send(address: &str, bytes: &[u8]) -> Result<()> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("nobody listens at {address}"))?;
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    Ok(())
}

/// The same noise in every run (xorshift64*).
fn pseudo_random(len: usize, mut state: u64) -> Vec<u8> {
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}
