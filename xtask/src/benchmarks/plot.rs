//! Draws the ratios of wall time as bars, in SVG.

use super::measurements::{Comparison, Row, target_of};

// Pixels.
const WIDTH: u32 = 820;
const LEFT: u32 = 220;
const RIGHT: u32 = 670;
const MARGIN: u32 = 16;
const TITLE_HEIGHT: u32 = 20;
const BAR_HEIGHT: u32 = 14;
const GAP: u32 = 6;

/// A longer bar is cut off: its number has its length, and the others stay readable.
const LONGEST: f64 = 2.0;

const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg""#;
const KEPT: &str = "#2e7d4f";
const MISSED: &str = "#c0392b";
const PLAIN: &str = "#6b8cae";
const TEXT: &str = "#1a1a1a";
const FAINT: &str = "#9a9a9a";

/// Returns the picture.
pub fn plot(comparisons: &[Comparison]) -> String {
    let (mut shapes, mut y) = (Vec::new(), MARGIN);
    for compared in comparisons {
        let (more, below) = group(y, compared);
        shapes.extend(more);
        y = below;
    }
    let height = y + 30;
    let mut lines = vec![
        format!(
            "{SVG} viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"12\" fill=\"{TEXT}\" role=\"img\">"
        ),
        "<title>What sesame costs, as ratios of wall time; less is better</title>".to_owned(),
        format!(r#"<rect width="{WIDTH}" height="{height}" fill="white"/>"#),
    ];
    lines.extend(scale(MARGIN, y));
    lines.extend(shapes);
    lines.push("</svg>\n".to_owned());
    lines.join("\n")
}

/// Returns the bars of a comparison, and where the next begins.
fn group(top: u32, compared: &Comparison) -> (Vec<String>, u32) {
    let first = compared.rows.first().map_or("", |row| row.name.as_str());
    let title = format!("{}; 1.0 is {first}", compared.title);
    let mut shapes = vec![text(MARGIN.into(), top + 13, &title, r#" font-weight="bold""#)];
    let mut y = top + TITLE_HEIGHT;
    for row in compared.rows.iter().skip(1) {
        shapes.extend(bar(y, row, compared.ratio(row), target_of(&compared.title, row)));
        y += BAR_HEIGHT + GAP;
    }
    (shapes, y + GAP)
}

fn bar(y: u32, row: &Row, ratio: f64, most: Option<f64>) -> Vec<String> {
    let colour = match most {
        None => PLAIN,
        Some(most) if ratio <= most => KEPT,
        Some(_) => MISSED,
    };
    let width = across(ratio) - f64::from(LEFT);
    let rectangle = format!(
        r#"<rect x="{LEFT}" y="{y}" width="{width:.1}" height="{BAR_HEIGHT}" fill="{colour}"/>"#
    );
    let label = text(f64::from(LEFT - 8), y + 11, &row.name, r#" text-anchor="end""#);
    let mut shapes = vec![label, rectangle];
    shapes.extend((ratio > LONGEST).then(|| cut(y)));
    shapes.extend(most.map(|most| tick(y, most)));
    shapes.push(value(y, ratio, most));
    shapes
}

/// Draws a white stroke through a bar that was cut off.
fn cut(y: u32) -> String {
    let (x, bottom) = (RIGHT - 16, y + BAR_HEIGHT);
    format!(r#"<path d="M{x} {bottom} l8 -{BAR_HEIGHT}" stroke="white" stroke-width="4"/>"#)
}

fn tick(y: u32, most: f64) -> String {
    upright(across(most), [y - 3, y + BAR_HEIGHT + 3], TEXT, r#" stroke-width="2""#)
}

fn value(y: u32, ratio: f64, most: Option<f64>) -> String {
    let target = most.map(|most| format!(", target {most:.2}")).unwrap_or_default();
    let x = across(ratio).max(across(most.unwrap_or_default())) + 6.0;
    text(x, y + 11, &format!("{ratio:.2}{target}"), "")
}

/// Draws the line at 1.0, and fainter ones at other numbers.
fn scale(top: u32, bottom: u32) -> Vec<String> {
    let line = |number: f64| {
        let (colour, dashes) =
            if number == 1.0 { (TEXT, "") } else { (FAINT, r#" stroke-dasharray="2 4""#) };
        let x = across(number);
        let label = text(x, bottom + 16, &format!("{number:.1}"), r#" text-anchor="middle""#);
        [upright(x, [top, bottom], colour, dashes), label]
    };
    [0.0, 0.5, 1.0, 1.5, LONGEST].into_iter().flat_map(line).collect()
}

fn across(ratio: f64) -> f64 {
    let (left, right) = (f64::from(LEFT), f64::from(RIGHT));
    left + (right - left) * ratio.min(LONGEST) / LONGEST
}

/// Writes words with a white edge, as lines run behind them.
fn text(x: f64, y: u32, words: &str, more: &str) -> String {
    let words = words.replace('`', "").replace('&', "&amp;");
    let words = words.replace('<', "&lt;").replace('>', "&gt;");
    let edge = r#"stroke="white" stroke-width="4" paint-order="stroke""#;
    format!(r#"<text x="{x:.1}" y="{y}.0" {edge}{more}>{words}</text>"#)
}

fn upright(x: f64, [top, bottom]: [u32; 2], colour: &str, more: &str) -> String {
    format!(
        r#"<line x1="{x:.1}" y1="{top}.0" x2="{x:.1}" y2="{bottom}.0" stroke="{colour}"{more}/>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bars_are_cut() {
        let row = |name: &str, wall_ms| Row {
            name: name.to_owned(),
            wall_ms,
            cpu_ms: None,
            peak_mib: None,
        };
        let rows = vec![row("floor", 1.0), row("a < `b`", 5.0)];
        let drawn = plot(&[Comparison { title: "A".to_owned(), rows, rounds: None }]);
        assert!(drawn.contains("a &lt; b</text>") && drawn.contains(r#"d="M654 50 l8 -14""#));
        assert!(drawn.contains(r#"width="450.0""#) && drawn.contains(">5.00</text>"), "{drawn}");
    }
}
