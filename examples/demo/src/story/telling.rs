//! How the story is told.

use std::io::{IsTerminal, stdout};

use super::diagram::{Record, What};
use crate::control::{Trace, micros};

/// Prints the story: prose, and between it the messages as they go.
pub(crate) struct Telling {
    colour: bool,
    messages: bool,
    muted: bool,
    /// Nothing is told at all.
    quiet: bool,
    started: u64,
    chapter: u32,
    pub(crate) count: u32,
    pub(crate) on_air: usize,
    pub(crate) checks: u32,
    /// The same for a diagram.
    pub(crate) record: Record,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";

impl Telling {
    pub(crate) fn new(messages: bool) -> Self {
        let colour = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let started = micros();
        let record = Record::new(started);
        Self { colour, messages, muted: false, quiet: false, started, chapter: 0, count: 0, on_air: 0, checks: 0, record }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn title(&mut self, text: &str) {
        self.record.title(text);
        println!("{}", self.paint(BOLD, text));
    }

    pub(crate) fn chapter(&mut self, text: &str) {
        self.chapter += 1;
        self.record.note(What::Chapter(text.to_owned()));
        println!("\n{}", self.paint(BOLD, &format!("{}. {text}", self.chapter)));
    }

    pub(crate) fn prose(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        self.record.note(What::Prose(text.to_owned()));
        println!("   {text}");
    }

    /// Something is as it must be.
    pub(crate) fn check(&mut self, text: &str) {
        if self.quiet {
            return;
        }
        self.record.note(What::Check(text.to_owned()));
        self.checks += 1;
        println!("   {} {text}", self.paint(GREEN, "✓"));
    }

    /// Something was refused, as it must be.
    pub(crate) fn refused(&mut self, text: &str) {
        self.record.note(What::Refused(text.to_owned()));
        self.checks += 1;
        println!("   {} {text}", self.paint(RED, "✗"));
    }

    /// Tells nothing for a while.
    pub(crate) fn quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Leaves out the messages for a while.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    pub(crate) fn message(&mut self, trace: &Trace) {
        self.count += 1;
        self.on_air += trace.on_air;
        if self.muted || self.quiet {
            return;
        }
        self.record.note(What::Message(trace.clone()));
        if !self.messages {
            return;
        }
        let Trace { from, to, name, message, sealed, fragments, on_air, at } = trace;
        let tenths = at.saturating_sub(self.started) / 100;
        let sealed = if *sealed { "sealed" } else { "      " };
        let pieces = if *fragments == 1 { "1 fragment ".to_owned() } else { format!("{fragments} fragments") };
        let route = format!("{from} → {to}");
        let line = format!(
            "   {:>6}.{} ms  {route:<26} {name:<26} {message:>4} B {sealed} {pieces:>12} {on_air:>4} B on air",
            tenths / 10,
            tenths % 10,
        );
        println!("{}", self.paint(DIM, line.trim_end()));
    }

    /// The end.
    pub(crate) fn end(&mut self) {
        let elapsed = micros().saturating_sub(self.started) / 1000;
        let Self { checks, count, on_air, .. } = *self;
        println!();
        self.title(&format!("All {checks} checks held: {count} messages, {on_air} bytes on air, {elapsed} ms."));
    }
}
