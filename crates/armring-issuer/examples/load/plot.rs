//! Latencies, drawn.

use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 60.0;

/// Over time: of each of 100 parts the median and the 99th of a hundred. An SVG.
pub(crate) fn latencies(title: &str, latencies: &[Duration], rate: f64) -> String {
    let parts: Vec<Vec<f64>> = latencies.chunks(latencies.len().div_ceil(100).max(1)).map(sorted_ms).collect();
    let highest = round_up(parts.iter().filter_map(|part| part.last()).fold(1.0_f64, |most, last| most.max(*last)), 20.0);
    let seconds = latencies.len() as f64 / rate;
    let x = |part: usize| MARGIN + (WIDTH - 2.0 * MARGIN) * part as f64 / (parts.len().max(2) - 1) as f64;
    let y = |ms: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * ms / highest;
    let mut svg = head(title);
    for fourth in 0..=4 {
        let ms = highest * f64::from(fourth) / 4.0;
        rule(&mut svg, y(ms), &format!("{ms:.0} ms"));
    }
    for (part, colour, name, place) in [(0.5, "#1b7", "half are faster", 0.0), (0.99, "#c33", "99 of 100 are faster", 130.0)] {
        let line = parts.iter().enumerate().map(|(number, sorted)| format!("{:.1},{:.1}", x(number), y(quantile(sorted, part))));
        polyline(&mut svg, colour, &line.collect::<Vec<_>>(), name, place);
    }
    let _ =
        writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{seconds:.1} s</text>\n</svg>", WIDTH - MARGIN, HEIGHT - 40.0);
    svg
}

/// What a payment costs after so many: by the clock, and of the processors. An SVG.
pub(crate) fn growth(points: &[(f64, [f64; 2])]) -> String {
    let highest = round_up(points.iter().flat_map(|(_, costs)| *costs).fold(1.0_f64, f64::max), 200.0);
    let [first, last] = [f64::min, f64::max].map(|pick| points.iter().map(|(spent, _)| spent.max(1.0).log10()).reduce(pick));
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or(1.0));
    let x = |spent: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * (spent.max(1.0).log10() - first) / (last - first).max(1e-9);
    let y = |micros: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * micros / highest;
    let mut svg = head("What a payment costs, by how many were spent before");
    for fourth in 0..=4 {
        let micros = highest * f64::from(fourth) / 4.0;
        rule(&mut svg, y(micros), &format!("{micros:.0} us"));
    }
    for (spent, _) in points {
        let (x, y) = (x(*spent), HEIGHT - MARGIN + 18.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{spent:.0}</text>");
    }
    for (which, colour, name, place) in [(0, "#1b7", "by the clock", 0.0), (1, "#c33", "of this process, on all cores", 110.0)] {
        let line: Vec<_> = points.iter().map(|(spent, costs)| format!("{:.1},{:.1}", x(*spent), y(costs[which]))).collect();
        polyline(&mut svg, colour, &line, name, place);
    }
    svg + "</svg>\n"
}

/// So that the lines stand at round numbers.
fn round_up(most: f64, to: f64) -> f64 {
    (most / to).ceil() * to
}

fn head(title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{MARGIN}\" y=\"24\" font-size=\"14\">{title}</text>\n"
    )
}

fn rule(svg: &mut String, at: f64, label: &str) {
    let (left, right) = (MARGIN, WIDTH - MARGIN);
    let (x, y) = (left - 6.0, at + 4.0);
    let _ = writeln!(
        svg,
        "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>"
    );
}

fn polyline(svg: &mut String, colour: &str, points: &[String], name: &str, place: f64) {
    let points = points.join(" ");
    let _ = writeln!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{points}\"/>");
    let (x, y) = (MARGIN + place, HEIGHT - 12.0);
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{name}</text>");
}

fn sorted_ms(part: &[Duration]) -> Vec<f64> {
    let mut sorted: Vec<_> = part.iter().map(|took| took.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1));
    sorted.get(at - 1).copied().unwrap_or_default()
}
