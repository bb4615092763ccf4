//! Text in a room of so many columns.

use ratatui::text::Line;

fn width_of(c: char) -> usize {
    Line::from(&*c.encode_utf8(&mut [0; 4])).width()
}

/// The beginning of a text.
pub(super) fn cut(text: &str, room: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += width_of(*c);
        used <= room
    };
    text.chars().take_while(fits).collect()
}

/// The end of a text.
pub(super) fn tail(text: &str, room: usize) -> String {
    let mut used = 0;
    let fits = |(_, c): &(usize, char)| {
        used += width_of(*c);
        used <= room
    };
    let at = text.char_indices().rev().take_while(fits).last().map_or(text.len(), |(place, _)| place);
    text.get(at..).unwrap_or_default().to_owned()
}

/// A text in rows, broken between words; and in them, where one is too long.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let (mut rows, mut row, mut used) = (Vec::new(), String::new(), 0);
    if room == 0 {
        return rows;
    }
    for word in text.split(' ') {
        let needed: usize = word.chars().map(width_of).sum();
        if used > 0 && used + 1 + needed > room {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        if used > 0 {
            row.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used > 0 && used + width_of(c) > room {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            row.push(c);
            used += width_of(c);
        }
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_in_those_that_are_too_long() {
        assert_eq!(wrapped("to be paid", 5), ["to be", "paid"]);
        assert_eq!(wrapped("armring:pay", 4), ["armr", "ing:", "pay"]);
        assert_eq!(wrapped("茶 for two", 4), ["茶", "for", "two"]);
        assert_eq!(wrapped("", 4), [""]);
        assert!(wrapped("tea", 0).is_empty());
        assert_eq!((cut("tea house", 3), tail("tea house", 5)), ("tea".to_owned(), "house".to_owned()));
        assert_eq!((cut("茶茶", 3), tail("茶茶", 3), cut("tea", 0)), ("茶".to_owned(), "茶".to_owned(), String::new()));
    }
}
