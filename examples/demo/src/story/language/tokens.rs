//! A line of a story, taken apart: words, texts in double quotes, and the marks between them.

/// One piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    /// What stood between double quotes.
    Text(String),
    /// `:` or `,`.
    Mark(char),
}

impl Token {
    /// A name, which may stand in quotes.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(text) | Self::Text(text) => Some(text),
            Self::Mark(_) => None,
        }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(found) if found == word)
    }

    /// As it is quoted in an error.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("'{word}'"),
            Self::Text(text) => format!("\"{text}\""),
            Self::Mark(mark) => format!("'{mark}'"),
        }
    }
}

/// Takes a line apart, up to its comment.
///
/// # Errors
/// What is wrong with it: a text without its end, or an escape that there is not.
pub(crate) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = line.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '#' => break,
            ':' | ',' => tokens.push(Token::Mark(next)),
            '"' => tokens.push(Token::Text(text(&mut rest)?)),
            _ if next.is_whitespace() => {}
            _ => {
                let mut word = String::from(next);
                while let Some(more) = rest.next_if(|c| !c.is_whitespace() && !":,\"#".contains(*c)) {
                    word.push(more);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Ok(tokens)
}

fn text(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    loop {
        match rest.next() {
            None => return Err("a text ends with a double quote on the same line; this one has no end".to_owned()),
            Some('"') => return Ok(text),
            Some('\\') => match rest.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                _ => return Err("in a text, \\ stands before \" or \\ alone".to_owned()),
            },
            Some(other) => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    fn quoted(text: &str) -> Token {
        Token::Text(text.to_owned())
    }

    #[test]
    fn a_line_is_words_texts_and_marks_up_to_its_comment() {
        let line = "  Mei: pay 12.50 CNY to \"Tea House\"# for tea";
        let expected = [word("Mei"), Token::Mark(':'), word("pay"), word("12.50"), word("CNY"), word("to"), quoted("Tea House")];
        assert_eq!(tokens(line).unwrap(), expected);
        assert_eq!(tokens("   # nothing").unwrap(), []);
    }

    #[test]
    fn a_text_may_hold_anything_but_a_line_end() {
        assert_eq!(
            tokens(r##"say "a # is no comment, \"here\", \\ ✓""##).unwrap(),
            [word("say"), quoted(r#"a # is no comment, "here", \ ✓"#)]
        );
        assert!(tokens("say \"and").unwrap_err().contains("no end"));
        assert!(tokens(r#"say "\n""#).unwrap_err().contains('\\'));
    }
}
