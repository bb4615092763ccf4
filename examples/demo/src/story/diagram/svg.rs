//! The SVG file: a few shapes and words, and how they look in light and in dark.

use std::fmt::Write as _;

/// Colours and fonts. What browsers do not support is left at the light colours.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif;font-size:12px;fill:#1f2933}\
.page{fill:#f4f5f7}.card{fill:#fff;stroke:#d9dde3}\
.title{font-size:24px;font-weight:700}.sub{font-size:13px;fill:#5b6673}\
.heading{font-size:15px;font-weight:700}.nr{font-size:13px;font-weight:700;fill:#fff;text-anchor:middle}\
.dim{font-size:11px;fill:#6b7682}.num{font-size:11px;fill:#6b7682;text-anchor:end}\
.name{text-anchor:middle;font-weight:600;fill:#fff}\
.msg{text-anchor:middle;stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\
.prose{fill:#5b6673;font-style:italic}.check{fill:#18713f}.no{fill:#b3261e}\
.box{fill:#fff}.yes-box{fill:#e9f6ee}.no-box{fill:#fdecea}\
.life{stroke:#c3cad2;stroke-dasharray:3 4}.rule{stroke:#e6e9ed}\
.tick{fill:none;stroke:#18713f;stroke-width:1.8}.cross{fill:none;stroke:#b3261e;stroke-width:1.8}\
.clear{stroke-width:1.2;stroke-dasharray:5 3}.sealed{stroke-width:1.8}\
.band{fill:#0f766e;stroke:#0f766e}.phone{fill:#4a45c9;stroke:#4a45c9}.payee{fill:#b0560b;stroke:#b0560b}\
.issuer{fill:#475569;stroke:#475569}.refused{fill:#b3261e;stroke:#b3261e}\
@media(prefers-color-scheme:dark){\
text{fill:#e4e8ed}.page{fill:#11151a}.card{fill:#1a2027;stroke:#2d353f}.sub,.dim,.num{fill:#98a4b1}.prose{fill:#a9b4c0}\
.nr,.name{fill:#0e1216}.msg{stroke:#1a2027}.check{fill:#6fd39a}.no{fill:#ff8d85}\
.box{fill:#1a2027}.yes-box{fill:#17301f}.no-box{fill:#3a1d1c}.life{stroke:#46515d}.rule{stroke:#2d353f}\
.tick{stroke:#6fd39a}.cross{stroke:#ff8d85}\
.band{fill:#4fd1c2;stroke:#4fd1c2}.phone{fill:#a3a0ff;stroke:#a3a0ff}.payee{fill:#f0a35a;stroke:#f0a35a}\
.issuer{fill:#a9b6c6;stroke:#a9b6c6}.refused{fill:#ff8d85;stroke:#ff8d85}}";

/// An SVG file that is being written. All measures are in pixels.
pub(super) struct Canvas {
    out: String,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
             <style>{STYLE}</style>\n"
        );
        let mut canvas = Self { out };
        canvas.rect("page", (0, 0), (width, height), 0);
        canvas
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    pub(super) fn text(&mut self, class: &str, (x, y): (u32, u32), text: &str) {
        let text = escaped(text);
        self.write(&format!("<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"));
    }

    pub(super) fn rect(&mut self, class: &str, (x, y): (u32, u32), (width, height): (u32, u32), round: u32) {
        self.write(&format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
        ));
    }

    pub(super) fn line(&mut self, class: &str, (x1, y1): (u32, u32), (x2, y2): (u32, u32)) {
        self.write(&format!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    /// A shape whose path begins at `x`, `y` and goes on relative to it.
    pub(super) fn path(&mut self, class: &str, (x, y): (u32, u32), path: &str) {
        self.write(&format!("<path class=\"{class}\" d=\"M{x} {y}{path}\"/>"));
    }

    /// Draws shapes that belong together, and says what they are to whoever points at them.
    pub(super) fn group(&mut self, title: &str, draw: impl FnOnce(&mut Self)) {
        let title = escaped(title);
        self.write(&format!("<g><title>{title}</title>"));
        draw(self);
        self.write("</g>");
    }

    fn write(&mut self, element: &str) {
        // A string takes whatever is written.
        let _ = writeln!(self.out, "{element}");
    }
}

/// Text as it may stand in an element or an attribute. What XML cannot say at all is left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A number with its thousands apart.
pub(super) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([7, 999, 1000, 37_019, 1_234_567].map(thousands), ["7", "999", "1,000", "37,019", "1,234,567"]);
    }

    #[test]
    fn whatever_is_said_comes_back_from_a_parser() {
        let said = "<a href=\"&amp;\">'\u{1}\u{fffe}é✓</a>";
        let mut canvas = Canvas::new(10, 10);
        canvas.text("dim", (1, 2), said);
        let svg = canvas.finish();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let text = document.descendants().find(|node| node.has_tag_name("text")).and_then(|node| node.text());
        assert_eq!(text, Some(said.replace(['\u{1}', '\u{fffe}'], " ").as_str()));
    }
}
