//! A phone's end of the link: fragments over whatever Bluetooth stack it has.

use core::fmt;

use armring_wire::ATT_PAYLOAD_MAX;
use heapless::{Deque, Vec};

use crate::window::{Arrived, Carrier, WINDOW, WindowError};

/// What a phone's Bluetooth stack does with payloads, once it is connected and subscribed, or has opened a channel.
#[allow(async_fn_in_trait, reason = "whoever drives a link decides on which thread")]
pub trait Pipe {
    /// What may go wrong, such as that the band is gone.
    type Error;

    /// Writes `payload` to the band, or sends it as one SDU.
    async fn write(&mut self, payload: &[u8]) -> Result<(), Self::Error>;

    /// Waits for what the band notifies, or its next SDU. Writes it to the front of `payload` and returns its length. Nothing is lost where
    /// the future is dropped before it is ready.
    async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Self::Error>;
}

/// A phone's line to a band. What a wallet wants transmitted goes in, what comes out is the wallet's:
///
/// ```
/// use armring_ble::{Line, LineError, Pipe};
/// use armring_pairing::DiffieHellman;
/// use armring_wallet::{Connection, Event, Output};
/// use armring_wire::ATT_PAYLOAD_MAX;
/// use rand_core::TryCryptoRng;
///
/// /// Carries what the wallet and the band say until either ends the connection. It was made with the payload that came with the line:
/// /// `Connection::reconnect(link, payload)`.
/// async fn carry<P: Pipe>(
///     line: &mut Line<P>,
///     connection: &mut Connection,
///     key: &dyn DiffieHellman,
///     rng: &mut impl TryCryptoRng,
///     mut happens: impl FnMut(&mut Connection, Event),
/// ) -> Result<(), LineError<P::Error>> {
///     let mut fragment = [0; ATT_PAYLOAD_MAX];
///     loop {
///         while let Some(output) = connection.poll() {
///             match output {
///                 Output::Transmit(fragment) => line.send(&fragment).await?,
///                 Output::Event(event) => happens(connection, event),
///                 Output::Disconnect => return Ok(()),
///             }
///         }
///         let len = line.receive(&mut fragment).await?;
///         if let Err(error) = connection.fragment(&fragment[..len], key, rng) {
///             eprintln!("{error}"); // Where it ends the connection, the next output says so.
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Line<P> {
    pipe: P,
    carrier: Carrier,
    /// Fragments that came while one had to wait for an acknowledgement.
    waiting: Deque<Vec<u8, ATT_PAYLOAD_MAX>, { WINDOW as usize }>,
    /// The acknowledgement that is due.
    due: Option<[u8; 1]>,
}

/// Why a line is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineError<E> {
    /// The stack says so.
    Pipe(E),
    /// The band does not keep to the window.
    Window(WindowError),
}

impl<P: Pipe> Line<P> {
    /// A line over a `pipe` that has just come into being.
    pub const fn new(pipe: P, carrier: Carrier) -> Self {
        Self { pipe, carrier, waiting: Deque::new(), due: None }
    }

    /// Sends a fragment, when there is a place for it.
    ///
    /// # Errors
    /// [`LineError`]: the connection is to be ended.
    pub async fn send(&mut self, fragment: &[u8]) -> Result<(), LineError<P::Error>> {
        self.acknowledge().await?;
        while !self.carrier.send() {
            self.listen().await?;
        }
        self.pipe.write(fragment).await.map_err(LineError::Pipe)
    }

    /// Waits for the band's next fragment. Writes it to the front of `fragment` and returns its length. Nothing is lost where the future is
    /// dropped before it is ready.
    ///
    /// # Errors
    /// [`LineError`]: the connection is to be ended.
    pub async fn receive(&mut self, fragment: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, LineError<P::Error>> {
        self.acknowledge().await?;
        let first = loop {
            match self.waiting.pop_front() {
                Some(first) => break first,
                None => self.listen().await?,
            }
        };
        for (place, byte) in fragment.iter_mut().zip(&first) {
            *place = *byte;
        }
        self.due = self.carrier.taken().or(self.due);
        Ok(first.len())
    }

    /// Sends the acknowledgement that is due. [`send`](Self::send) and [`receive`](Self::receive) do so first, so that whoever receives all the
    /// time need not.
    ///
    /// # Errors
    /// [`LineError`]: the connection is to be ended.
    pub async fn acknowledge(&mut self) -> Result<(), LineError<P::Error>> {
        if let Some(acknowledgement) = self.due {
            self.pipe.write(&acknowledgement).await.map_err(LineError::Pipe)?;
            self.due = None;
        }
        Ok(())
    }

    /// The pipe, to end the connection with.
    pub fn into_pipe(self) -> P {
        self.pipe
    }

    /// Waits for one payload of the band.
    async fn listen(&mut self) -> Result<(), LineError<P::Error>> {
        let mut payload = [0; ATT_PAYLOAD_MAX];
        let len = self.pipe.read(&mut payload).await.map_err(LineError::Pipe)?;
        let payload = payload.get(..len).unwrap_or_default();
        match self.carrier.arrived(payload).map_err(LineError::Window)? {
            Arrived::Acknowledgement => Ok(()),
            Arrived::Fragment(fragment) => {
                let kept = Vec::from_slice(fragment).ok().and_then(|fragment| self.waiting.push_back(fragment).ok());
                kept.ok_or(LineError::Window(WindowError::Overrun))
            }
        }
    }
}

impl<E: fmt::Display> fmt::Display for LineError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pipe(error) => error.fmt(f),
            Self::Window(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for LineError<E> {}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use std::collections::VecDeque;

    use super::*;
    use crate::window::Window;

    /// A band that says what a test wants said.
    #[derive(Default)]
    struct Fake {
        says: VecDeque<std::vec::Vec<u8>>,
        heard: std::vec::Vec<std::vec::Vec<u8>>,
    }

    impl Pipe for Fake {
        type Error = &'static str;

        async fn write(&mut self, payload: &[u8]) -> Result<(), Self::Error> {
            self.heard.push(payload.to_vec());
            Ok(())
        }

        async fn read(&mut self, payload: &mut [u8; ATT_PAYLOAD_MAX]) -> Result<usize, Self::Error> {
            let said = self.says.pop_front().ok_or("gone")?;
            payload[..said.len()].copy_from_slice(&said);
            Ok(said.len())
        }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("there is nothing to wait for"),
        }
    }

    fn line(says: &[&[u8]], carrier: Carrier) -> Line<Fake> {
        let says = says.iter().map(|payload| payload.to_vec()).collect();
        Line::new(Fake { says, heard: std::vec::Vec::new() }, carrier)
    }

    #[test]
    fn a_fragment_waits_for_an_acknowledgement_and_what_comes_meanwhile_is_kept_in_order() {
        let mut line = line(&[&[1, 1], &[2, 2], &[2], &[3, 3]], Carrier::Gatt(Window::new()));
        for n in 10..15 {
            now(line.send(&[n, n])).unwrap();
        }
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        for n in 1..4 {
            assert_eq!(now(line.receive(&mut fragment)), Ok(2));
            assert_eq!(fragment[..2], [n, n]);
        }
        let fragments: [&[u8]; 5] = [&[10, 10], &[11, 11], &[12, 12], &[13, 13], &[14, 14]];
        assert_eq!(line.pipe.heard[..5], fragments);
        assert_eq!(line.pipe.heard[5..], [[2]], "every second fragment is acknowledged");
        assert_eq!(now(line.receive(&mut fragment)), Err(LineError::Pipe("gone")));
    }

    #[test]
    fn a_band_that_floods_a_phone_which_waits_for_a_place_is_cut_off() {
        let mut line = line(&[&[1, 1], &[2, 2], &[3, 3], &[4, 4], &[5, 5]], Carrier::Gatt(Window::new()));
        for n in 0..WINDOW {
            now(line.send(&[n, n])).unwrap();
        }
        assert_eq!(now(line.send(&[9, 9])), Err(LineError::Window(WindowError::Overrun)));
        assert_eq!(line.pipe.heard.len(), usize::from(WINDOW));
    }

    #[test]
    fn over_a_channel_nothing_waits_and_nothing_is_acknowledged() {
        let mut line = line(&[&[1, 1], &[2, 2], &[7]], Carrier::Channel);
        for n in 0..20 {
            now(line.send(&[n, n])).unwrap();
        }
        let mut fragment = [0; ATT_PAYLOAD_MAX];
        assert_eq!([now(line.receive(&mut fragment)), now(line.receive(&mut fragment))], [Ok(2), Ok(2)]);
        assert_eq!(line.pipe.heard.len(), 20);
        assert_eq!(now(line.receive(&mut fragment)), Err(LineError::Window(WindowError::Short)));
    }
}
