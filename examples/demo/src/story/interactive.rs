//! The same lines from whoever sits at the terminal, or from a pipe.

use std::io::{BufRead, IsTerminal, stdin};

use anyhow::Result;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::language::{Line, Scope, complete, help, read_line};
use super::player::Player;
use super::{Setting, begin};

const WELCOME: &str = "\
An issuer is there. Say who else is, and what they do; what you say is played at once. For example:
   open \"Tea House\"
   enter Mei with a band and 50 CNY
   Mei: set up
   pay 12.50 CNY to \"Tea House\"
   press
Tab completes; 'help' lists all that there is, 'help pay' what begins like that; 'quit' or ctrl-D ends.";

/// How a conversation ended, for a program that held it over a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Held {
    /// All went as it must.
    Well,
    /// Something did not.
    Failed,
    /// Something could not be read.
    Unread,
}

/// Plays each line that is typed. One that is wrong, or that does not go as it must, is told, and the next one is taken.
///
/// # Errors
/// Where there is no stage, or no terminal.
pub(crate) fn converse(setting: &Setting<'_>) -> Result<Held> {
    let mut talk = Talk { player: begin(setting)?, scope: Scope::default(), number: 0, held: Held::Well };
    if stdin().is_terminal() {
        println!("{WELCOME}");
        let mut editor =
            Editor::<Typist, DefaultHistory>::with_config(Config::builder().completion_type(CompletionType::List).build())?;
        loop {
            editor.set_helper(Some(Typist(talk.scope.clone())));
            match editor.readline("> ") {
                Ok(line) if !talk.hear(&line) => break,
                Ok(line) => {
                    editor.add_history_entry(line)?;
                }
                Err(ReadlineError::Eof | ReadlineError::Interrupted) => break,
                Err(error) => return Err(error.into()),
            }
        }
        return Ok(Held::Well);
    }
    for line in stdin().lock().lines() {
        if !talk.hear(&line?) {
            break;
        }
    }
    Ok(talk.held)
}

struct Talk {
    player: Player,
    scope: Scope,
    number: usize,
    held: Held,
}

impl Talk {
    /// Does what a line says. Says whether there is to be another one.
    fn hear(&mut self, line: &str) -> bool {
        self.number += 1;
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("quit" | "exit"), None) => return false,
            (Some("help"), word) => print!("{}", help(word.unwrap_or_default())),
            _ => match read_line(line, self.number, &mut self.scope) {
                Ok(Some(line)) => self.play(&line),
                Ok(None) => {}
                Err(problem) => {
                    println!("{}", problem.of("line"));
                    self.held = self.held.max(Held::Unread);
                }
            },
        }
        true
    }

    fn play(&mut self, line: &Line) {
        match self.player.play(line) {
            Ok(()) => {
                if let Some(told) = self.player.told() {
                    self.player.stage.telling.prose(&format!("→ {told}"));
                }
            }
            Err(error) => {
                println!("line:{}: {error:#}", self.number);
                self.held = self.held.max(Held::Failed);
            }
        }
    }
}

/// Completes what is being typed.
struct Typist(Scope);

impl Completer for Typist {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (begun, words) = complete(line.get(..at).unwrap_or_default(), &self.0);
        Ok((begun, words.into_iter().map(|word| word + " ").collect()))
    }
}

impl Hinter for Typist {
    type Hint = String;
}

impl Highlighter for Typist {}

impl Validator for Typist {}

impl Helper for Typist {}
