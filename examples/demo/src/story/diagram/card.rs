//! One chapter: its heading, who has a part in it, and below each other what happened.

use super::svg::{Canvas, thousands};
use super::{CARD, What, cast};
use crate::control::Trace;

/// From the edge of a card to what stands in it.
const PAD: u32 = 20;
const HEADING: u32 = 46;
/// The boxes with the names on top of the lifelines.
const NAMES: u32 = 40;
const MESSAGE: u32 = 23;
const LINE: u32 = 17;
/// What a note has around its lines.
const AROUND: u32 = 11;
/// Where lifelines may stand: right of the times and left of the sizes.
const LIVES: (u32, u32) = (76, 716);
const LIVES_APART_MAX: u32 = 215;
/// Where the columns of sizes end: bytes, fragments, bytes on air.
const SIZES: [(u32, &str); 3] = [(752, "bytes"), (822, "fragments"), (CARD - PAD, "on air")];
/// How many characters fit into a line of a note.
const CHARACTERS: usize = 132;

const LOCK: &str = "v-2.6a2.6 2.6 0 0 1 5.2 0v2.6h1v5.4h-7.2v-5.4zm1.4 0h2.4v-2.5a1.2 1.2 0 0 0-2.4 0z";
const TICK: &str = "l3.2 3.6l6 -7.6";
const CROSS: &str = "l7.4 7.4m0 -7.4l-7.4 7.4";

pub(super) struct Card<'a> {
    pub(super) number: Option<usize>,
    title: &'a str,
    started: u64,
    rows: Vec<Row<'a>>,
    names: Vec<&'a str>,
}

enum Row<'a> {
    Message(&'a Trace),
    Note(Kind, Vec<String>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prose,
    Check,
    Refused,
}

impl<'a> Card<'a> {
    pub(super) const fn new(number: Option<usize>, title: &'a str, started: u64) -> Self {
        Self { number, title, started, rows: Vec::new(), names: Vec::new() }
    }

    pub(super) fn add(&mut self, what: &'a What) {
        let (kind, text) = match what {
            What::Message(trace) => {
                self.rows.push(Row::Message(trace));
                self.names = cast::in_order(self.messages());
                return;
            }
            What::Prose(text) | What::Chapter(text) => (Kind::Prose, text),
            What::Check(text) => (Kind::Check, text),
            What::Refused(text) => (Kind::Refused, text),
        };
        if !text.is_empty() {
            self.rows.push(Row::Note(kind, wrapped(text)));
        }
    }

    fn messages(&self) -> impl Iterator<Item = &'a Trace> {
        self.rows.iter().filter_map(|row| if let Row::Message(trace) = row { Some(*trace) } else { None })
    }

    pub(super) fn height(&self) -> u32 {
        HEADING + self.names_height() + self.rows.iter().map(Row::height).sum::<u32>() + PAD / 2
    }

    fn names_height(&self) -> u32 {
        if self.names.is_empty() { 0 } else { NAMES }
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): (u32, u32)) {
        canvas.rect("card", (x, y), (CARD, self.height()), 10);
        self.draw_heading(canvas, (x, y));
        let mut at = y + HEADING;
        if !self.names.is_empty() {
            self.draw_names(canvas, (x, at));
            at += NAMES;
        }
        for row in &self.rows {
            match row {
                Row::Message(trace) => self.draw_message(canvas, (x, at), trace),
                Row::Note(kind, lines) => draw_note(canvas, (x, at), *kind, lines),
            }
            at += row.height();
        }
    }

    fn draw_heading(&self, canvas: &mut Canvas, (x, y): (u32, u32)) {
        match self.number {
            Some(number) => {
                let text = number.to_string();
                let width = if text.len() > 1 { 28 } else { 22 };
                canvas.rect("issuer", (x + PAD, y + 14), (width, 20), 5);
                canvas.text("nr", (x + PAD + width / 2, y + 29), &text);
                canvas.text("heading", (x + PAD + width + 10, y + 29), self.title);
            }
            None => canvas.text("heading", (x + PAD, y + 29), self.title),
        }
    }

    /// How far lifelines are from each other.
    fn apart(&self) -> u32 {
        let count = u32::try_from(self.names.len()).unwrap_or(1).max(1);
        ((LIVES.1 - LIVES.0) / count).min(LIVES_APART_MAX)
    }

    /// Where somebody's lifeline stands.
    fn life(&self, name: &str) -> u32 {
        let (apart, count) = (self.apart(), u32::try_from(self.names.len()).unwrap_or(1));
        let first = (LIVES.0 + LIVES.1 - apart * count.saturating_sub(1)) / 2;
        let place = self.names.iter().position(|known| *known == name).and_then(|place| u32::try_from(place).ok());
        first + place.unwrap_or(0) * apart
    }

    fn draw_names(&self, canvas: &mut Canvas, (x, y): (u32, u32)) {
        let (bottom, width) = (y + self.height() - HEADING - PAD / 2, (self.apart() - 6).min(110));
        for name in &self.names {
            let life = x + self.life(name);
            canvas.line("life", (life, y + 22), (life, bottom));
            canvas.rect(cast::Role::of(name).class(), (life - width / 2, y), (width, 22), 6);
            canvas.text("name", (life, y + 15), name);
        }
        canvas.text("dim", (x + PAD, y + 15), "ms");
        for (end, what) in SIZES {
            canvas.text("num", (x + end, y + 15), what);
        }
    }

    fn draw_message(&self, canvas: &mut Canvas, (x, y): (u32, u32), trace: &Trace) {
        let (from, to) = (x + self.life(&trace.from), x + self.life(&trace.to));
        let class = if is_refusal(&trace.name) { "refused" } else { cast::Role::of(&trace.from).class() };
        let (line, head, dash) = (y + 18, 7, if trace.sealed { "sealed" } else { "clear" });
        canvas.group(&described(trace), |canvas| {
            let (end, tip) = if to > from {
                (to - 1 - head, format!("v-8l{head} 4l-{head} 4z"))
            } else {
                (to + 1 + head, format!("v-8l-{head} 4l{head} 4z"))
            };
            canvas.line(&format!("{class} {dash}"), (from, line), (end, line));
            canvas.path(class, (end, line + 4), &tip);
            canvas.text("msg", (from.midpoint(to), line - 5), &trace.name);
            if trace.sealed {
                // Beside who sealed it.
                let lock = if to > from { from + 9 } else { from - 16 };
                canvas.path(class, (lock, line - 9), LOCK);
            }
        });
        let tenths = trace.at.saturating_sub(self.started) / 100;
        let sizes = [trace.message, trace.fragments, trace.on_air];
        canvas.text("dim", (x + PAD, line), &format!("{}.{}", tenths / 10, tenths % 10));
        for ((end, _), size) in SIZES.iter().zip(sizes) {
            canvas.text("num", (x + end, line), &thousands(size));
        }
    }
}

impl Row<'_> {
    fn height(&self) -> u32 {
        match self {
            Self::Message(_) => MESSAGE,
            Self::Note(_, lines) => AROUND + LINE * u32::try_from(lines.len()).unwrap_or(1),
        }
    }
}

fn draw_note(canvas: &mut Canvas, (x, y): (u32, u32), kind: Kind, lines: &[String]) {
    let (class, ground) = match kind {
        Kind::Prose => ("prose", "box"),
        Kind::Check => ("check", "yes-box"),
        Kind::Refused => ("no", "no-box"),
    };
    let height = LINE * u32::try_from(lines.len()).unwrap_or(1) + 4;
    canvas.rect(ground, (x + PAD - 8, y + 4), (CARD - 2 * PAD + 16, height), 5);
    match kind {
        Kind::Prose => {}
        Kind::Check => canvas.path("tick", (x + PAD, y + 15), TICK),
        Kind::Refused => canvas.path("cross", (x + PAD + 1, y + 11), CROSS),
    }
    let indent = if kind == Kind::Prose { 0 } else { 18 };
    for (number, line) in (0..).zip(lines) {
        canvas.text(class, (x + PAD + indent, y + 18 + LINE * number), line);
    }
}

/// What the signs mean.
pub(super) fn draw_legend(canvas: &mut Canvas, (x, y): (u32, u32)) {
    let mut at = x;
    let mut sample = |class: &str, sealed: bool, words: &str, width: u32| {
        canvas.line(class, (at, y - 4), (at + 26, y - 4));
        canvas.path(class.split(' ').next().unwrap_or_default(), (at + 26, y), "v-8l7 4l-7 4z");
        if sealed {
            canvas.path(class.split(' ').next().unwrap_or_default(), (at + 40, y - 4), LOCK);
        }
        canvas.text("dim", (at + if sealed { 54 } else { 40 }, y), words);
        at += width;
    };
    sample("phone sealed", true, "sealed: only the two ends read it", 250);
    sample("phone clear", false, "in the clear: a handshake, or nothing secret", 290);
    sample("refused sealed", false, "a refusal", 110);
    canvas.path("tick", (at, y - 4), TICK);
    canvas.text("dim", (at + 16, y), "held");
    canvas.path("cross", (at + 60, y - 8), CROSS);
    canvas.text("dim", (at + 76, y), "refused, as it must be");
}

/// The whole message in words.
fn described(trace: &Trace) -> String {
    let Trace { from, to, name, message, sealed, fragments, on_air, .. } = trace;
    let (sealed, s) = (if *sealed { "sealed" } else { "in the clear" }, if *fragments == 1 { "" } else { "s" });
    format!("{from} → {to}: {name}, {message} bytes, {sealed}, {on_air} bytes on air in {fragments} fragment{s}")
}

fn is_refusal(name: &str) -> bool {
    matches!(name, "Refused" | "Declined")
}

/// Text in lines.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word.chars().collect::<Vec<_>>();
        while let Some(line) = lines.last_mut() {
            let used = line.chars().count();
            let room = CHARACTERS.saturating_sub(if used == 0 { 0 } else { used + 1 });
            if word.len() <= room {
                if used > 0 {
                    line.push(' ');
                }
                line.extend(&word);
                break;
            }
            // A word that is longer than a line is broken.
            let part = if used == 0 { word.split_off(CHARACTERS) } else { std::mem::take(&mut word) };
            line.extend(&word);
            word = part;
            lines.push(String::new());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_every_word_and_are_not_too_long() {
        let long = format!("to pay {} and go", "a".repeat(300));
        for text in ["", "one line", &"words and more words ".repeat(40), &long] {
            let lines = wrapped(text);
            assert!(lines.iter().all(|line| line.chars().count() <= CHARACTERS), "{lines:?}");
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(letters(&lines.concat()), letters(text));
        }
    }
}
