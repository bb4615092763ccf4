//! Both ends of a channel, and somebody between them who forges, loses, repeats and reflects.

use armring_channel::{
    Channel, FAILURES_UNTIL_CUT, HandshakeHash, Key, MAX_RECORD_LEN, OpenError, Opened, SealError, TAG_LEN, sealed_len,
};

use crate::input::Input;

/// Two ends, driven in any order, against a model of SPEC.md, section 6.
pub fn channel(data: &[u8]) {
    let mut input = Input::new(data);
    Between::new().run(&mut input);
}

/// One end as the model has it.
struct End {
    channel: Channel,
    /// What it has sealed since the start: the record, or nothing for close.
    sealed: Vec<(Vec<u8>, Vec<u8>)>,
    closed: bool,
    /// Of what the other end sealed, the next that it opens.
    next: usize,
    failures: u8,
    peer_closed: bool,
    cut: bool,
}

struct Between {
    ends: [End; 2],
}

impl Between {
    fn new() -> Self {
        let end = |send: u8, receive: u8| End {
            channel: Channel::new(Key::new([send; 32]), Key::new([receive; 32]), HandshakeHash::new([3; 32])),
            sealed: Vec::new(),
            closed: false,
            next: 0,
            failures: 0,
            peer_closed: false,
            cut: false,
        };
        Self { ends: [end(1, 2), end(2, 1)] }
    }

    fn run(&mut self, input: &mut Input<'_>) {
        while !input.is_empty() {
            let who = input.below(2);
            match input.below(8) {
                0..=2 => {
                    let len = match input.any::<u8>() {
                        255 => usize::from(input.any::<u16>()),
                        len => 4 * usize::from(len),
                    };
                    self.seal(who, len, input.below(16) == 0, input.any());
                }
                3 => self.close(who),
                4 | 5 => {
                    let at = self.ends[who].next;
                    self.deliver(1 - who, at, who, None);
                }
                6 => {
                    let at = usize::from(input.any::<u8>());
                    // One's own comes back, or the other's once more, or out of turn.
                    self.deliver(if input.any() { who } else { 1 - who }, at, who, None);
                }
                _ => {
                    let at = self.ends[who].next;
                    self.deliver(1 - who, at, who, Some(input));
                }
            }
            for end in &self.ends {
                assert_eq!((end.channel.is_cut(), end.channel.is_closed_by_peer()), (end.cut, end.peer_closed && !end.cut));
            }
        }
    }

    fn seal(&mut self, who: usize, len: usize, short: bool, byte: u8) {
        let end = &mut self.ends[who];
        let record = vec![byte; len];
        let room = sealed_len(len).unwrap_or(len) - usize::from(short && len > 0);
        let mut buffer = record.clone();
        buffer.resize(room.max(len), 0);
        buffer.truncate(room);
        let expected = match () {
            () if len == 0 => Err(SealError::Empty),
            () if end.cut => Err(SealError::Cut),
            () if end.closed => Err(SealError::Closed),
            () if len > MAX_RECORD_LEN => Err(SealError::TooLong),
            () if short => Err(SealError::BufferTooSmall),
            () => Ok(sealed_len(len).unwrap()),
        };
        let sealed = end.channel.seal(&mut buffer, len).map(<[u8]>::to_vec);
        assert_eq!(sealed.as_ref().map(Vec::len), expected.as_ref().copied());
        end.sealed.extend(sealed.ok().map(|sealed| (sealed, record)));
    }

    fn close(&mut self, who: usize) {
        let end = &mut self.ends[who];
        let expected = match () {
            () if end.cut => Err(SealError::Cut),
            () if end.closed => Err(SealError::Closed),
            () => Ok(()),
        };
        let closed = end.channel.close(&mut [0; 48]).map(<[u8]>::to_vec);
        assert_eq!(closed.as_ref().map(drop), expected.as_ref().copied());
        end.closed |= closed.is_ok();
        end.sealed.extend(closed.ok().map(|sealed| (sealed, Vec::new())));
    }

    /// Gives `to` what `from` sealed as number `at`, which is changed on its way where there is input for that.
    fn deliver(&mut self, from: usize, at: usize, to: usize, change: Option<&mut Input<'_>>) {
        let Some((sealed, record)) = self.ends[from].sealed.get(at).cloned() else { return };
        let mut bytes = sealed;
        let altered = change.is_some_and(|input| input.alter(&mut bytes));
        let end = &mut self.ends[to];
        let fits = from != to && at == end.next && !altered;
        let is_length = bytes.len().checked_sub(TAG_LEN + 1).and_then(sealed_len) == Some(bytes.len());
        let expected = match () {
            () if end.cut => Err(OpenError::Cut),
            () if end.peer_closed => Err(OpenError::AfterClose),
            () if !is_length => Err(OpenError::Length),
            () if fits && record.is_empty() => Ok(Opened::Close),
            () if fits => Ok(Opened::Record(&record)),
            () if end.failures + 1 == FAILURES_UNTIL_CUT => Err(OpenError::Cut),
            () => Err(OpenError::NotAuthentic),
        };
        assert_eq!(end.channel.open(&mut bytes), expected);
        match expected {
            Ok(opened) => {
                (end.next, end.failures) = (end.next + 1, 0);
                end.peer_closed = opened == Opened::Close;
            }
            Err(OpenError::NotAuthentic) => end.failures += 1,
            Err(OpenError::Cut) => end.cut = true,
            Err(_) => {}
        }
    }
}
