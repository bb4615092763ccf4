//! The story as a sequence diagram: one card a chapter, with a lifeline for each process that has a part in it.
//!
//! Drawn as SVG, which browsers show without help and follow in light and dark. Each message has its whole description as a tooltip.

mod card;
mod cast;
mod svg;

use self::card::Card;
use self::svg::{Canvas, thousands};
use crate::control::{Trace, micros};

/// How wide a card is, and how far it is from others, in pixels.
const CARD: u32 = 900;
const GAP: u32 = 28;
/// A column that gets longer than this is continued beside itself.
const COLUMN: u32 = 6500;
const COLUMNS_MAX: u32 = 3;
/// What stands above the cards.
const HEAD: u32 = 118;

/// What happened in a story, in order.
pub(crate) struct Record {
    started: u64,
    title: String,
    entries: Vec<Entry>,
}

struct Entry {
    at: u64,
    what: What,
}

pub(super) enum What {
    Chapter(String),
    Prose(String),
    Check(String),
    Refused(String),
    Message(Trace),
}

impl Record {
    pub(crate) fn new(started: u64) -> Self {
        Self { started, title: String::new(), entries: Vec::new() }
    }

    /// The first title is that of the whole.
    pub(crate) fn title(&mut self, text: &str) {
        if self.title.is_empty() {
            text.clone_into(&mut self.title);
        }
    }

    pub(super) fn note(&mut self, what: What) {
        let at = match &what {
            // Processes are heard one by one, and not always in the order in which they spoke.
            What::Message(trace) => trace.at,
            _ => micros(),
        };
        self.entries.push(Entry { at, what });
    }

    /// The diagram, as the text of an SVG file.
    pub(crate) fn svg(&self) -> String {
        let cards = self.cards();
        let columns = columns(&cards);
        let count = u32::try_from(columns.len()).unwrap_or(1).max(1);
        let tallest = columns.iter().map(|column| height(column)).max().unwrap_or(0);
        let mut canvas = Canvas::new(count * (CARD + GAP) + GAP, HEAD + tallest);
        self.draw_head(&mut canvas);
        for (x, column) in (0..).zip(&columns).map(|(place, column): (u32, _)| (GAP + place * (CARD + GAP), column)) {
            let mut y = HEAD;
            for card in *column {
                card.draw(&mut canvas, (x, y));
                y += card.height() + GAP;
            }
        }
        canvas.finish()
    }

    /// One card a chapter. What comes before the first stands in a card of its own.
    fn cards(&self) -> Vec<Card<'_>> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.at);
        let mut cards: Vec<Card<'_>> = Vec::new();
        for entry in entries {
            let number = cards.iter().filter(|card| card.number.is_some()).count() + 1;
            match (&entry.what, cards.last_mut()) {
                (What::Chapter(title), _) => cards.push(Card::new(Some(number), title, self.started)),
                (what, Some(card)) => card.add(what),
                (what, None) => {
                    let mut card = Card::new(None, "The beginning", self.started);
                    card.add(what);
                    cards.push(card);
                }
            }
        }
        cards
    }

    fn draw_head(&self, canvas: &mut Canvas) {
        let messages =
            || self.entries.iter().filter_map(|entry| if let What::Message(trace) = &entry.what { Some(trace) } else { None });
        let (count, on_air): (usize, usize) = (messages().count(), messages().map(|trace| trace.on_air).sum());
        canvas.text("title", (GAP, 44), &self.title);
        let bytes = thousands(on_air);
        canvas.text(
            "sub",
            (GAP, 68),
            &format!("{count} messages are drawn here, {bytes} bytes on air. Times in milliseconds since the story began."),
        );
        card::draw_legend(canvas, (GAP, 94));
    }
}

fn height(cards: &[Card<'_>]) -> u32 {
    cards.iter().map(|card| card.height() + GAP).sum()
}

/// Cards in columns of about the same height, in reading order.
fn columns<'a, 'b>(cards: &'a [Card<'b>]) -> Vec<&'a [Card<'b>]> {
    let whole = height(cards);
    let count = whole.div_ceil(COLUMN).clamp(1, COLUMNS_MAX);
    let (mut columns, mut from, mut filled) = (Vec::new(), 0, 0);
    for (at, card) in (0_usize..).zip(cards) {
        // A card goes where more of it fits.
        let ends = u32::try_from(columns.len() + 1).unwrap_or(COLUMNS_MAX);
        if ends < count && filled + card.height() / 2 > ends * whole / count {
            columns.push(cards.get(from..at).unwrap_or_default());
            from = at;
        }
        filled += card.height() + GAP;
    }
    columns.push(cards.get(from..).unwrap_or_default());
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: &str, to: &str, name: &str, at: u64) -> What {
        let (from, to, name) = (from.to_owned(), to.to_owned(), name.to_owned());
        What::Message(Trace { from, to, name, message: 48, sealed: true, fragments: 1, on_air: 49, at })
    }

    fn record() -> Record {
        let mut record = Record::new(micros());
        record.title("A story of <band> & phone");
        record.note(What::Prose("\"Before\" it begins".to_owned()));
        record.note(What::Chapter("They meet".to_owned()));
        record.note(message("Mei's phone", "Mei's band", "Pay <&> \"more\"", micros()));
        record.note(message("Mei's band", "Mei's phone", "Declined", micros()));
        record.note(What::Check("It's as it must be".to_owned()));
        record.note(What::Refused("x".repeat(400)));
        record
    }

    #[test]
    fn what_is_drawn_is_xml_and_says_what_was_recorded() {
        let svg = record().svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let texts: Vec<&str> = document.descendants().filter(|node| node.is_text()).filter_map(|node| node.text()).collect();
        let tooltips: Vec<_> =
            document.descendants().filter(|node| node.has_tag_name("title")).filter_map(|node| node.text()).collect();
        assert!(texts.contains(&"A story of <band> & phone"), "{texts:?}");
        assert!(texts.contains(&"\"Before\" it begins") && texts.contains(&"It's as it must be"), "{texts:?}");
        assert_eq!(
            tooltips,
            [
                "Mei's phone → Mei's band: Pay <&> \"more\", 48 bytes, sealed, 49 bytes on air in 1 fragment",
                "Mei's band → Mei's phone: Declined, 48 bytes, sealed, 49 bytes on air in 1 fragment"
            ]
        );
    }

    #[test]
    fn messages_stand_in_the_order_of_their_times() {
        let mut record = Record::new(0);
        record.note(message("a", "b", "Later", 20));
        record.note(message("b", "a", "Sooner", 10));
        let svg = record.svg();
        assert!(svg.find("Sooner").unwrap() < svg.find("Later").unwrap());
    }

    #[test]
    fn everything_drawn_lies_inside() {
        let mut record = record();
        for chapter in 0..40 {
            record.note(What::Chapter(format!("Chapter {chapter}")));
            for _ in 0..20 {
                record.note(message("Mei's phone", "issuer", "Redeem", micros()));
            }
        }
        let svg = record.svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let number = |node: roxmltree::Node<'_, '_>, name| node.attribute(name).and_then(|value| value.parse::<f32>().ok());
        let root = document.root_element();
        let (width, height) = (number(root, "width").unwrap(), number(root, "height").unwrap());
        assert!(width > 3.0 * 900.0, "several columns");
        let places = document.descendants().filter_map(|node| Some((number(node, "x")?, number(node, "y")?)));
        let outside: Vec<_> = places.filter(|(x, y)| !(0.0..=width).contains(x) || !(0.0..=height).contains(y)).collect();
        assert!(outside.is_empty(), "{outside:?} of {width} × {height}");
    }
}
