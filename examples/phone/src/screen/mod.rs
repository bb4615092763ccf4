//! The screen: what there is to see, what happened, and a line to type in.

mod keyboard;
mod terminal;
mod text;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Row, Span};
use ratatui::widgets::{Block, Paragraph};

use crate::wallet::{Line, Tone, View};
use text::{cut, tail, wrapped};

pub use keyboard::{Key, Keyboard};
pub use terminal::run;

/// All that is drawn.
#[derive(Debug, Default)]
pub struct Screen {
    /// The wallet's.
    pub view: View,
    /// What happened, the oldest first.
    pub log: Vec<Line>,
    /// What is being typed.
    pub typed: String,
}

/// How much of what happened is kept.
const LOG_MAX: usize = 500;
/// Narrower than this, one thing is above the other.
const WIDE: u16 = 72;
/// Lower than this, there is what happened, and nothing else.
const HIGH: u16 = 14;

impl Screen {
    /// Something happened.
    pub fn tell(&mut self, lines: Vec<Line>) {
        self.log.extend(lines);
        self.log.drain(..self.log.len().saturating_sub(LOG_MAX));
    }

    /// Draws it, on a terminal of any size. Says whether the whole code can be read, if there is one.
    pub fn draw(&self, frame: &mut Frame<'_>) -> bool {
        let area = frame.area();
        let [head, body, input, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1), Constraint::Length(1)])
                .areas(area);
        frame.render_widget(self.head(head.width), head);
        if body.height < HIGH {
            self.draw_short(frame, body);
        } else {
            self.draw_panels(frame, body);
        }
        self.draw_input(frame, input);
        frame.render_widget(Paragraph::new(self.foot(foot.width)), foot);
        self.view.code.as_ref().is_some_and(|code| is_on(frame.buffer_mut(), code))
    }

    fn draw_panels(&self, frame: &mut Frame<'_>, body: Rect) {
        let wide = body.width >= WIDE;
        let left = if wide { body.width * 11 / 20 } else { body.width };
        let right = if wide { body.width - left } else { body.width };
        let band = table(&self.view.band, "none is paired: hold its button, then type 'pair'", left);
        let (title, payment) = match &self.view.code {
            Some(code) => (" Compare ", question(code)),
            None => (" Payment ", table(&self.view.payment, "none yet: 'pay at WHERE', or 'scan' its code", right)),
        };
        let high = |rows: &Vec<Row<'_>>| u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
        let (above, log) = if wide {
            let above = high(&band).max(high(&payment));
            let [above, log] = Layout::vertical([Constraint::Max(above), Constraint::Min(5)]).areas(body);
            let [band, payment] = Layout::horizontal([Constraint::Length(left), Constraint::Length(right)]).areas(above);
            ((band, payment), log)
        } else {
            let parts = [Constraint::Max(high(&band)), Constraint::Length(high(&payment)), Constraint::Min(5)];
            let [band, payment, log] = Layout::vertical(parts).areas(body);
            ((band, payment), log)
        };
        frame.render_widget(Paragraph::new(band).block(Block::bordered().title(" Band ")), above.0);
        let style = if self.view.code.is_some() { ask() } else { Style::new() };
        frame.render_widget(Paragraph::new(payment).block(Block::bordered().title(title).border_style(style)), above.1);
        let block = Block::bordered().title(" What happened ");
        let inner = block.inner(log);
        frame.render_widget(block, log);
        self.draw_log(frame, inner);
    }

    /// What can be done where there is no room.
    fn draw_short(&self, frame: &mut Frame<'_>, area: Rect) {
        let code = self.view.code.as_ref().map(|code| format!("Code: {code}"));
        let height = u16::from(code.is_some());
        let [above, log] = Layout::vertical([Constraint::Length(height), Constraint::Min(0)]).areas(area);
        if let Some(code) = code {
            frame.render_widget(Paragraph::new(Row::styled(code, strong())), above);
        }
        self.draw_log(frame, log);
    }

    fn draw_log(&self, frame: &mut Frame<'_>, area: Rect) {
        let (width, height) = (usize::from(area.width), usize::from(area.height));
        let mut rows: Vec<Row<'_>> = Vec::new();
        for line in self.log.iter().rev() {
            let (mark, style) = mark(line.tone);
            let parts = wrapped(&line.text, width.saturating_sub(2));
            for (number, part) in parts.iter().enumerate().rev() {
                let mark = if number == 0 { mark } else { "  " };
                rows.push(Row::styled(format!("{mark}{part}"), style));
            }
            if rows.len() >= height {
                break;
            }
        }
        rows.truncate(height);
        rows.reverse();
        frame.render_widget(Paragraph::new(rows), area);
    }

    fn head(&self, width: u16) -> Paragraph<'_> {
        let link = cut(&self.view.link, usize::from(width.saturating_sub(11)));
        let title = if width < 30 { "" } else { "armring " };
        Paragraph::new(Row::from(vec![Span::styled(title, strong()), Span::from(link)]))
    }

    fn draw_input(&self, frame: &mut Frame<'_>, area: Rect) {
        let room = usize::from(area.width).saturating_sub(3);
        let shown = tail(&self.typed, room);
        let at = u16::try_from(2 + Row::from(shown.as_str()).width()).unwrap_or(u16::MAX);
        frame.render_widget(Paragraph::new(Row::from(vec![Span::styled("> ", strong()), Span::from(shown)])), area);
        if area.height > 0 && at < area.width {
            frame.set_cursor_position((area.x + at, area.y));
        }
    }

    /// What the person or the wearer is to do; else what can be said.
    fn foot(&self, width: u16) -> Row<'_> {
        match &self.view.awaited {
            Some(awaited) => Row::styled(cut(&format!("The band waits for {awaited}."), width.into()), ask()),
            None => Row::styled(cut(&self.view.hints.join("  "), width.into()), Style::new().add_modifier(Modifier::DIM)),
        }
    }
}

/// What, and how it is, in a frame of this width.
fn table<'a>(rows: &[(&'static str, String)], none: &'a str, width: u16) -> Vec<Row<'a>> {
    let width = usize::from(width.saturating_sub(2));
    if rows.is_empty() {
        return wrapped(none, width).into_iter().map(Row::from).collect();
    }
    let row = |(what, how): &(&'static str, String)| {
        let what = Span::styled(format!("{what:<9} "), Style::new().add_modifier(Modifier::DIM));
        let mut parts = wrapped(how, width.saturating_sub(10)).into_iter();
        let first = Row::from(vec![what, Span::from(parts.next().unwrap_or_default())]);
        std::iter::once(first).chain(parts.map(|part| Row::from(format!("{:10}{part}", "")))).collect::<Vec<_>>()
    };
    rows.iter().flat_map(row).collect()
}

fn question(code: &str) -> Vec<Row<'_>> {
    let rows = ["", code, "", "Does the band show the same?", "yes, or no"];
    rows.into_iter().map(|row| if row == code { Row::styled(row, strong()) } else { Row::from(row) }.centered()).collect()
}

/// Whether a text stands whole in one row.
fn is_on(buffer: &Buffer, text: &str) -> bool {
    let area = buffer.area;
    (area.top()..area.bottom()).any(|y| {
        let row: String = (area.left()..area.right()).filter_map(|x| buffer.cell((x, y))).map(|cell| cell.symbol()).collect();
        row.contains(text)
    })
}

const fn mark(tone: Tone) -> (&'static str, Style) {
    match tone {
        Tone::Plain => ("  ", Style::new()),
        Tone::Good => ("✓ ", Style::new().fg(Color::Green)),
        Tone::Bad => ("✗ ", Style::new().fg(Color::Red)),
        Tone::Ask => ("→ ", ask()),
    }
}

const fn ask() -> Style {
    Style::new().fg(Color::Yellow)
}

const fn strong() -> Style {
    Style::new().add_modifier(Modifier::BOLD)
}

#[cfg(test)]
mod tests;
