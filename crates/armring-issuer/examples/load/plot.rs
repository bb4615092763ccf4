//! Latencies, drawn.

use std::fmt::Write as _;
use std::time::Duration;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const MARGIN: f64 = 60.0;

/// Over time: of each of 100 parts the median and the 99th of a hundred. An SVG.
pub(crate) fn latencies(title: &str, latencies: &[Duration], rate: f64) -> String {
    let parts: Vec<Vec<f64>> = latencies.chunks(latencies.len().div_ceil(100).max(1)).map(sorted_ms).collect();
    let highest = parts.iter().filter_map(|part| part.last()).fold(1.0_f64, |most, last| most.max(*last));
    let seconds = latencies.len() as f64 / rate;
    let x = |part: usize| MARGIN + (WIDTH - 2.0 * MARGIN) * part as f64 / (parts.len().max(2) - 1) as f64;
    let y = |ms: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * ms / highest;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{MARGIN}\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    for tenth in 0..=4 {
        let ms = highest * f64::from(tenth) / 4.0;
        let (left, right, at) = (MARGIN, WIDTH - MARGIN, y(ms));
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{ms:.0} ms</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for (part, colour, name, place) in [(0.5, "#1b7", "half are faster", 0.0), (0.99, "#c33", "99 of 100 are faster", 130.0)] {
        let points =
            parts.iter().enumerate().map(|(number, sorted)| format!("{:.1},{:.1}", x(number), y(quantile(sorted, part))));
        let points: Vec<_> = points.collect();
        let _ =
            writeln!(svg, "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>", points.join(" "));
        let (x, y) = (MARGIN + place, HEIGHT - 12.0);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\">{name}</text>");
    }
    let _ =
        writeln!(svg, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{seconds:.1} s</text>\n</svg>", WIDTH - MARGIN, HEIGHT - 40.0);
    svg
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
