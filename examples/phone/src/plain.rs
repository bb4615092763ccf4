//! Lines in, lines out: for scripts, and for those who have what is said read to them.

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::session::Session;
use crate::transport::Inbox;
use crate::wallet::{Input, Line, Tone};

/// How long a line is read, in bytes.
const LINE_MAX: usize = 4096;

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    /// To the wallet.
    Input(Input),
    /// The person typed this.
    Typed(String),
    /// They will type no more.
    End,
}

/// An inbox, and where what is told to it comes out, with what is typed.
#[must_use]
pub fn inbox() -> (Inbox, Receiver<Event>) {
    let (sender, events) = channel();
    let typed = sender.clone();
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = read_line(&mut input) {
            if typed.send(Event::Typed(line)).is_err() {
                return;
            }
        }
        let _ = typed.send(Event::End);
    });
    let inbox = Inbox::new(move |input| {
        let _ = sender.send(Event::Input(input));
    });
    (inbox, events)
}

/// Runs until the person, or the end of the input, ends it. Says whether all went well.
///
/// A line waits until what the lines before began is done, and until the band's wearer did what that needs; `cancel`, `disconnect`, `help` and the
/// answer to a code do not.
///
/// # Errors
/// Nobody reads what is told any more.
pub fn run(session: &mut Session, events: &Receiver<Event>, out: &mut impl Write) -> io::Result<bool> {
    let (mut waiting, mut well) = (VecDeque::new(), true);
    while let Ok(event) = events.recv() {
        let lines = match event {
            Event::Input(input) => session.handle(input),
            Event::Typed(line) => {
                waiting.push_back(line);
                Vec::new()
            }
            Event::End => {
                waiting.push_back("quit".to_owned());
                Vec::new()
            }
        };
        well &= tell(session, &lines, out)?;
        while !session.is_over() && waiting.front().is_some_and(|line| is_due(session, line)) {
            let lines = waiting.pop_front().map(|line| session.typed(&line)).unwrap_or_default();
            well &= tell(session, &lines, out)?;
        }
        if session.is_over() {
            break;
        }
    }
    Ok(well)
}

fn is_due(session: &Session, line: &str) -> bool {
    let wallet = session.wallet();
    match line.split_whitespace().next() {
        Some("cancel" | "disconnect" | "help" | "?") => true,
        Some("yes" | "y" | "no" | "n") => wallet.is_idle() || wallet.code().is_some(),
        _ => wallet.is_idle(),
    }
}

fn tell(session: &mut Session, lines: &[Line], out: &mut impl Write) -> io::Result<bool> {
    for Line { tone, text } in lines {
        let tone = match tone {
            Tone::Plain => "",
            Tone::Good => "ok: ",
            Tone::Bad => "error: ",
            Tone::Ask => "to do: ",
        };
        writeln!(out, "{tone}{text}")?;
    }
    out.flush()?;
    if session.wallet().code().is_some() {
        session.handle(Input::CodeShown);
    }
    Ok(lines.iter().all(|line| line.tone != Tone::Bad))
}

/// The next line, of which no more than so much is kept; [`None`] at the end.
fn read_line(input: &mut impl BufRead) -> Option<String> {
    let (mut line, mut any) = (Vec::new(), false);
    loop {
        let bytes = input.fill_buf().ok()?;
        if bytes.is_empty() {
            return any.then(|| String::from_utf8_lossy(&line).into_owned());
        }
        any = true;
        let (part, used, whole) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (bytes.get(..end).unwrap_or_default(), end + 1, true),
            None => (bytes, bytes.len(), false),
        };
        line.extend(part.iter().take(LINE_MAX.saturating_sub(line.len())));
        input.consume(used);
        if whole {
            return Some(String::from_utf8_lossy(&line).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_end_and_bytes_that_are_no_text_are_read_without_harm() {
        let long = [vec![b'x'; 3 * LINE_MAX], b"\n\xFF\xFE\r\nlast".to_vec()].concat();
        let mut input = io::BufReader::with_capacity(100, long.as_slice());
        assert_eq!(read_line(&mut input).map(|line| line.len()), Some(LINE_MAX));
        assert_eq!(read_line(&mut input).as_deref(), Some("\u{FFFD}\u{FFFD}\r"));
        assert_eq!(read_line(&mut input).as_deref(), Some("last"));
        assert_eq!(read_line(&mut input), None);
    }
}
