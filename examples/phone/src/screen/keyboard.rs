//! The line that is being typed.

use crate::wallet::command::COMMANDS;

/// How long a line may be, in characters: a URI has some hundred.
const LINE_MAX: usize = 4096;

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// Takes back the last character.
    Backspace,
    /// Takes back all.
    Clear,
    /// Completes the command.
    Tab,
    /// The line that was typed before.
    Up,
    /// The line that was typed after it.
    Down,
    /// The line is whole.
    Enter,
}

/// A line that is being typed, and those before it.
#[derive(Debug, Default)]
pub struct Keyboard {
    typed: String,
    before: Vec<String>,
    /// Which of them is shown, from the end; 0 is none.
    back: usize,
}

impl Keyboard {
    /// What was typed so far.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Something was pressed. Gives the line that is whole with it.
    pub fn press(&mut self, key: Key) -> Option<String> {
        match key {
            Key::Char(c) if !c.is_control() && self.typed.len() < LINE_MAX => self.typed.push(c),
            Key::Char(_) => {}
            Key::Backspace => drop(self.typed.pop()),
            Key::Clear => self.typed.clear(),
            Key::Tab => self.complete(),
            Key::Up => self.turn_to(self.back + 1),
            Key::Down => self.turn_to(self.back.saturating_sub(1)),
            Key::Enter => {
                let line = std::mem::take(&mut self.typed);
                self.back = 0;
                if !line.trim().is_empty() && self.before.last() != Some(&line) {
                    self.before.push(line.clone());
                }
                return Some(line);
            }
        }
        None
    }

    fn turn_to(&mut self, back: usize) {
        if back == 0 {
            (self.back, self.typed) = (0, String::new());
        } else if let Some(line) = self.before.len().checked_sub(back).and_then(|at| self.before.get(at)) {
            (self.back, self.typed) = (back, line.clone());
        }
    }

    /// As far as all commands that begin like this go on alike.
    fn complete(&mut self) {
        let mut fit = COMMANDS.iter().map(|(word, ..)| *word).filter(|word| word.starts_with(self.typed.as_str()));
        let Some(first) = fit.next() else { return };
        let others: Vec<&str> = fit.collect();
        let alike = (0..=first.len()).rev().filter_map(|end| first.get(..end));
        let common = alike.into_iter().find(|part| others.iter().all(|other| other.starts_with(part))).unwrap_or_default();
        common.clone_into(&mut self.typed);
        if others.is_empty() {
            self.typed.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keyboard: &mut Keyboard, text: &str) {
        for c in text.chars() {
            assert_eq!(keyboard.press(Key::Char(c)), None);
        }
    }

    #[test]
    fn a_line_is_typed_taken_back_completed_and_found_again() {
        let mut keyboard = Keyboard::default();
        press(&mut keyboard, "rec\u{7}x");
        keyboard.press(Key::Backspace);
        keyboard.press(Key::Tab);
        assert_eq!(keyboard.typed(), "receipts ");
        assert_eq!(keyboard.press(Key::Enter).as_deref(), Some("receipts "));
        press(&mut keyboard, "pa");
        keyboard.press(Key::Tab);
        assert_eq!(keyboard.typed(), "pa", "pair and pay");
        keyboard.press(Key::Clear);
        keyboard.press(Key::Up);
        keyboard.press(Key::Up);
        assert_eq!(keyboard.typed(), "receipts ");
        keyboard.press(Key::Down);
        assert_eq!(keyboard.press(Key::Enter).as_deref(), Some(""));
        press(&mut keyboard, &"x".repeat(2 * LINE_MAX));
        assert_eq!(keyboard.typed().len(), LINE_MAX);
        keyboard.press(Key::Tab);
    }
}
