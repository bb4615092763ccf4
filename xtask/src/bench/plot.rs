//! The plot: a bar for each contender, by its time beside the first floor of its group.

use std::fmt::Write as _;

use super::rows::{Row, groups};
use super::time;

/// What is drawn; the page has the rest.
const DRAWN: [&str; 9] = [
    "handshake XX",
    "handshake KKpsk0",
    "handshake IK",
    "seal and open 64 B",
    "seal and open 5120 B",
    "mint a token",
    "verify a token",
    "verify 256 tokens of 256 bands",
    "verify 256 pairs of credential and token",
];

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long one is that takes as long as the floor.
const LEFT: f64 = 250.0;
const ONCE: f64 = 110.0;
/// Longer bars are cut.
const MOST: f64 = 4.0;
const ROW: f64 = 18.0;
const GAP: f64 = 30.0;

/// The drawing, in SVG.
pub(super) fn drawn(rows: &[Row], machine: &str) -> String {
    let (mut body, mut y) = (String::new(), 52.0);
    for group in groups(rows).filter(|group| group.first().is_some_and(|row| DRAWN.contains(&row.group.as_str()))) {
        let Some(floor) = group.first() else { continue };
        let _ = writeln!(body, "<text class=\"group\" x=\"16\" y=\"{y:.0}\">{}</text>", escaped(&floor.group));
        y += 6.0;
        for row in group {
            bar(&mut body, row, row.nanoseconds / floor.nanoseconds, y);
            y += ROW;
        }
        y += GAP;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {y:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <style>.group {{ font-weight: bold; font-size: 13px }} .floor {{ fill: #9aa0a6 }} .ours {{ fill: #1a7f5a }} \
         .other {{ fill: #7aa6d8 }} text {{ fill: #222 }}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"22\">Times beside the bare primitives, shorter is better. {}</text>\n{body}</svg>\n",
        escaped(machine)
    )
}

fn bar(body: &mut String, row: &Row, ratio: f64, y: f64) {
    let class = if row.is_ours() {
        "ours"
    } else if row.beside.is_none() {
        "floor"
    } else {
        "other"
    };
    let (length, cut) = (ONCE * ratio.min(MOST), if ratio > MOST { " …" } else { "" });
    let (text, name) = (y + 12.5, escaped(&row.name));
    let _ = writeln!(
        body,
        "<text x=\"{:.0}\" y=\"{text:.1}\" text-anchor=\"end\">{name}</text>\
         <rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{:.1}\" width=\"{length:.1}\" height=\"13\"/>\
         <text x=\"{:.1}\" y=\"{text:.1}\">{} · {ratio:.2}{cut}</text>",
        LEFT - 8.0,
        y + 2.0,
        LEFT + length + 6.0,
        time(row.nanoseconds)
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::rows::{MEASURED, read};

    #[test]
    fn bars_are_as_long_as_the_times_say() {
        let rows = read(&MEASURED.replace("snow\t403000", "snow\t1725000")).unwrap();
        let svg = drawn(&rows, "A & B");
        assert!(svg.contains("width=\"110.0\"") && svg.contains("345 µs · 1.00<"));
        assert!(svg.contains("width=\"440.0\"") && svg.contains("1.73 ms · 5.00 …<"), "cut at four times");
        assert!(svg.contains("A &amp; B") && svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
