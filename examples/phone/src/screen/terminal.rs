//! The terminal: taken, drawn on, and given back as it was.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event as Pressed, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Key, Keyboard, Screen};
use crate::session::Session;
use crate::transport::Inbox;
use crate::wallet::{Input, Line, Tone};

/// How often a band that is connected is asked how it is.
const GLANCE: Duration = Duration::from_secs(2);

enum Event {
    Input(Input),
    Key(KeyEvent),
    Resized,
    /// The terminal is gone.
    Gone,
}

/// Runs a session on the terminal until the person ends it, and gives the terminal back, whatever happens.
///
/// # Errors
/// There is no terminal, or it is gone.
pub fn run(start: impl FnOnce(Inbox) -> Session) -> Result<()> {
    let (sender, events) = channel();
    let keys = sender.clone();
    let inbox = Inbox::new(move |input| {
        let _ = sender.send(Event::Input(input));
    });
    let mut session = start(inbox);
    // From here on a panic restores the terminal too.
    let mut terminal = Restored(ratatui::try_init().context("this is no terminal to draw on: try --plain")?);
    thread::spawn(move || {
        loop {
            let event = match event::read() {
                Ok(Pressed::Key(key)) if key.kind != KeyEventKind::Release => Event::Key(key),
                Ok(_) => Event::Resized,
                Err(_) => Event::Gone,
            };
            let gone = matches!(event, Event::Gone);
            if keys.send(event).is_err() || gone {
                return;
            }
        }
    });
    let (mut screen, mut keyboard) = (Screen::default(), Keyboard::default());
    screen.tell(vec![Line { tone: Tone::Plain, text: "Type 'help' for what can be said; Ctrl-C ends.".to_owned() }]);
    while !session.is_over() {
        draw(&mut terminal.0, &mut session, &mut screen, &keyboard)?;
        match events.recv_timeout(GLANCE) {
            Ok(Event::Input(input)) => screen.tell(session.handle(input)),
            Ok(Event::Key(key)) => press(&mut session, &mut screen, &mut keyboard, key),
            Ok(Event::Resized) => {}
            Err(RecvTimeoutError::Timeout) => screen.tell(session.handle(Input::Tick)),
            Ok(Event::Gone) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Ok(())
}

fn draw(terminal: &mut DefaultTerminal, session: &mut Session, screen: &mut Screen, keyboard: &Keyboard) -> io::Result<()> {
    screen.view = session.wallet().view();
    keyboard.typed().clone_into(&mut screen.typed);
    let mut is_code_shown = false;
    terminal.draw(|frame| is_code_shown = screen.draw(frame))?;
    if is_code_shown {
        screen.tell(session.handle(Input::CodeShown));
    }
    Ok(())
}

fn press(session: &mut Session, screen: &mut Screen, keyboard: &mut Keyboard, key: KeyEvent) {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let key = match key.code {
        KeyCode::Char('c' | 'd') if control => return screen.tell(session.typed("quit")),
        KeyCode::Char('u') if control => Key::Clear,
        KeyCode::Char(_) if control => return,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Esc => Key::Clear,
        KeyCode::Tab => Key::Tab,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Enter => Key::Enter,
        _ => return,
    };
    if let Some(line) = keyboard.press(key) {
        screen.tell(session.typed(&line));
    }
}

struct Restored(DefaultTerminal);

impl Drop for Restored {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
