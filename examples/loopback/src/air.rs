//! Loopback TCP in place of the radio: every write of an ATT payload travels whole, behind two bytes of length.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use armring_wire::records::issuer::FromIssuer;
use armring_wire::{ATT_PAYLOAD_MAX, AttPayload, FragmentError, Fragmenter, Reassembler, Record};

use crate::step;

/// How long a process waits for another that owes it an answer.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The longest message on any link of the demo, in bytes: a part of the issuer's revocation list.
pub const MESSAGE_MAX: usize = <FromIssuer<'static> as Record<'static>>::MAX_LEN;

/// One end of a connection.
pub struct Air {
    stream: TcpStream,
}

impl Air {
    /// Connects to a listening process.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// Takes over a stream, which is not to wait longer than [`PATIENCE`] for anything.
    ///
    /// # Errors
    /// What the system says; so for all that follow.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream })
    }

    /// The same connection, to be read from by somebody else.
    ///
    /// # Errors
    /// What the system says.
    pub fn second_end(&self) -> io::Result<Self> {
        Ok(Self { stream: self.stream.try_clone()? })
    }

    /// Sends one ATT payload.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let len = u16::try_from(payload.len()).map_err(|_| io::Error::other("longer than an ATT payload"))?;
        let mut bytes = len.to_le_bytes().to_vec();
        bytes.extend_from_slice(payload);
        step::step();
        self.stream.write_all(&bytes)?;
        self.cut_if_doomed();
        Ok(())
    }

    /// The next ATT payload; `None` when the other end is gone.
    ///
    /// # Errors
    /// What the system says, or that this is no ATT payload.
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut len = [0; 2];
        match self.stream.read_exact(&mut len) {
            Ok(()) => {}
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let len = usize::from(u16::from_le_bytes(len));
        if len > ATT_PAYLOAD_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{len} bytes announced, an ATT payload has at most {ATT_PAYLOAD_MAX}"),
            ));
        }
        let mut payload = vec![0; len];
        match self.stream.read_exact(&mut payload) {
            Ok(()) => {
                step::step();
                self.cut_if_doomed();
                Ok(Some(payload))
            }
            Err(error) if is_gone(&error) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "cut off in the middle of a payload"))
            }
            Err(error) => Err(error),
        }
    }

    fn cut_if_doomed(&self) {
        if step::fragment() {
            self.close();
        }
    }

    /// Says that nothing more will be sent. The other end answers by closing, before which it may send what it has.
    pub fn finish(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// From now on the other end may be silent for as long as it likes.
    pub fn wait_for_good(&self) {
        let _ = self.stream.set_read_timeout(None);
    }

    /// Ends the connection.
    pub fn close(&self) {
        // Whether the other end had closed already makes no difference.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// What a serving process hears of its connections.
pub enum Heard {
    /// Somebody connected.
    Opened(u64, Air),
    /// An ATT payload came.
    Payload(u64, Vec<u8>),
    /// The connection is over; with what was wrong, if something was.
    Over(u64, Option<String>),
}

/// Listens on loopback and tells `sender` of every connection. Threads live as long as the process.
///
/// # Errors
/// What the system says.
pub fn listen<T: From<Heard> + Send + 'static>(sender: Sender<T>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for (id, stream) in (1..).zip(listener.incoming().flatten()) {
            let Ok(air) = Air::new(stream) else { continue };
            let Ok(reader) = air.second_end() else { continue };
            if sender.send(Heard::Opened(id, air).into()).is_err() {
                return;
            }
            let sender = sender.clone();
            thread::spawn(move || read_all(id, reader, &sender));
        }
    });
    Ok(address)
}

/// Tells `sender` of everything that comes over a connection, until it is over.
pub fn read_all<T: From<Heard>>(id: u64, mut air: Air, sender: &Sender<T>) {
    air.wait_for_good();
    loop {
        let heard = match air.receive() {
            Ok(Some(payload)) => Heard::Payload(id, payload),
            Ok(None) => Heard::Over(id, None),
            Err(error) => Heard::Over(id, Some(error.to_string())),
        };
        let over = matches!(heard, Heard::Over(..));
        if sender.send(heard.into()).is_err() || over {
            return;
        }
    }
}

/// Records over a connection, cut and put together as on the radio.
pub struct Records {
    fragmenter: Fragmenter,
    reassembler: Reassembler<Vec<u8>>,
}

/// What one record took on the way.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    /// How many fragments.
    pub fragments: usize,
    /// Their bytes.
    pub on_air: usize,
}

impl Records {
    /// For fragments of at most `payload`.
    #[must_use]
    pub fn new(payload: AttPayload) -> Self {
        Self { fragmenter: Fragmenter::new(payload), reassembler: Reassembler::new(vec![0; MESSAGE_MAX]) }
    }

    /// The fragments of a record, and what they come to.
    pub fn cut(&mut self, record: &[u8]) -> (Vec<Vec<u8>>, Cost) {
        let mut fragment = vec![0; self.fragmenter.payload().bytes()];
        let (mut fragments, mut cost, mut sent) = (Vec::new(), Cost::default(), 0);
        while let Some((len, next)) = self.fragmenter.cut(record, sent, &mut fragment) {
            sent = next;
            fragments.push(fragment.get(..len).unwrap_or_default().to_vec());
            cost.fragments += 1;
            cost.on_air += len;
        }
        (fragments, cost)
    }

    /// Sends a record.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, air: &mut Air, record: &[u8]) -> io::Result<()> {
        let (fragments, _) = self.cut(record);
        fragments.iter().try_for_each(|fragment| air.send(fragment))
    }

    /// Takes in a payload; gives the record that is whole with it.
    ///
    /// # Errors
    /// A [`FragmentError`] says why this is no fragment of a record.
    pub fn take(&mut self, payload: &[u8]) -> Result<Option<Vec<u8>>, FragmentError> {
        Ok(self.reassembler.push(payload)?.map(|record| record.to_vec()))
    }
}
