//! Writes the tables of docs/performance.md.

use super::measurements::{About, Comparison, Figure, Results, Row, TARGETS, Target};

/// Returns all tables, with the picture between them.
pub fn tables(measured: &Results, picture: &str) -> String {
    let mut parts = vec![
        machine(&measured.about),
        targets_table(&measured.comparisons),
        format!("![The ratios of wall time, as bars]({picture})"),
        costs_table(&measured.comparisons),
    ];
    if !measured.figures.is_empty() {
        parts.push(figures_table(&measured.figures));
    }
    parts.join("\n\n")
}

/// Says in one sentence where the numbers come from.
fn machine(about: &About) -> String {
    let fact = |name, default: &str| about.fact(name).unwrap_or_else(|| default.to_owned());
    let mut facts =
        vec![format!("{}, {} cores", fact("processor", "a processor"), fact("cores", "?"))];
    for name in ["Wasmtime", "wasmtime command", "oras"] {
        facts.extend(about.fact(name).map(|version| format!("{name} {version}")));
    }
    format!("{}: {}.", fact("date", "Some day"), facts.join(", "))
}

fn targets_table(comparisons: &[Comparison]) -> String {
    let mut lines =
        vec!["| what | target | measured | kept |".to_owned(), "|---|--:|--:|---|".to_owned()];
    lines.extend(TARGETS.iter().map(|target| target_row(target, comparisons)));
    lines.join("\n")
}

fn target_row(target: &Target, comparisons: &[Comparison]) -> String {
    let found = comparisons.iter().find(|each| each.title == target.title);
    let ratio = found.and_then(|found| Some(found.ratio(found.sesame()?)));
    let measured = ratio.map_or("not measured".to_owned(), |ratio| format!("{ratio:.3}"));
    let kept = ratio.map_or("", |ratio| kept(ratio, target.most));
    table_row(&[target.what, &format!("≤ {:.2}", target.most), &measured, kept])
}

fn figures_table(figures: &[Figure]) -> String {
    let names = "| the session service | target | measured | kept |".to_owned();
    let mut lines = vec![names, "|---|--:|--:|---|".to_owned()];
    lines.extend(figures.iter().map(figure_row));
    lines.join("\n")
}

fn figure_row(figure: &Figure) -> String {
    let amount = |value: f64| format!("{value:.2} {}", figure.unit).trim_end().to_owned();
    let target = figure.most.map(|most| format!("≤ {}", amount(most))).unwrap_or_default();
    let kept = figure.most.map_or("", |most| kept(figure.value, most));
    table_row(&[&figure.what, &target, &amount(figure.value), kept])
}

/// Says whether a value meets its target.
fn kept(value: f64, most: f64) -> &'static str {
    if value <= most { "yes" } else { "**no**" }
}

fn costs_table(comparisons: &[Comparison]) -> String {
    let names = "| | wall | CPU | peak memory | wall, ratio | CPU, ratio | memory, ratio |";
    let mut lines = vec![names.to_owned(), format!("|---{}|", "|--:".repeat(6))];
    lines.extend(comparisons.iter().flat_map(cost_rows));
    lines.join("\n")
}

fn cost_rows(compared: &Comparison) -> Vec<String> {
    let rounds = compared.rounds.filter(|&rounds| rounds > 0);
    let rounds = rounds.map(|rounds| format!(", rounds: {rounds}")).unwrap_or_default();
    let title = format!("**{}**{rounds}", compared.title);
    let mut lines = vec![table_row(&[&title, "", "", "", "", "", ""])];
    let Some(first) = compared.rows.first() else { return lines };
    for row in &compared.rows {
        let mut cells = vec![row.name.clone()];
        cells.extend(costs(row));
        cells.extend(ratios(row, first));
        lines.push(table_row(&cells.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    lines
}

fn costs(row: &Row) -> [String; 3] {
    let peak = row.peak_mib.map(|peak| format!("{peak:.1} MiB")).unwrap_or_default();
    [duration(row.wall_ms), row.cpu_ms.map(duration).unwrap_or_default(), peak]
}

fn ratios(row: &Row, first: &Row) -> [String; 3] {
    let ratio = |value: Option<f64>, of: Option<f64>| {
        let of = of.filter(|&of| of != 0.0);
        value.zip(of).map(|(value, of)| format!("{:.2}", value / of)).unwrap_or_default()
    };
    [
        ratio(Some(row.wall_ms), Some(first.wall_ms)),
        ratio(row.cpu_ms, first.cpu_ms),
        ratio(row.peak_mib, first.peak_mib),
    ]
}

fn duration(milliseconds: f64) -> String {
    match milliseconds {
        long if long >= 1000.0 => format!("{:.2} s", long / 1000.0),
        middle if middle >= 1.0 => format!("{middle:.2} ms"),
        short => format!("{:.1} µs", short * 1000.0),
    }
}

fn table_row(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_unit() {
        assert_eq!([0.5, 1.0, 1234.0].map(duration), ["500.0 µs", "1.00 ms", "1.23 s"]);
    }

    #[test]
    fn figures_have_their_target() {
        let figure =
            |value, most| Figure { what: "memory".to_owned(), value, unit: "MiB".to_owned(), most };
        let rows = [figure(7.0, Some(6.5)), figure(7.0, None)].map(|figure| figure_row(&figure));
        assert_eq!(rows[0], "| memory | ≤ 6.50 MiB | 7.00 MiB | **no** |");
        assert_eq!(rows[1], "| memory |  | 7.00 MiB |  |");
    }

    #[test]
    fn unmeasured_cells_are_empty() {
        let row = |name: &str, wall_ms, cpu_ms| Row {
            name: name.to_owned(),
            wall_ms,
            cpu_ms,
            peak_mib: None,
        };
        let rows = vec![row("a|b", 2.0, None), row("sesame", 3.0, Some(1.0))];
        let compared = Comparison { title: "A".to_owned(), rows, rounds: Some(7) };
        assert_eq!(
            cost_rows(&compared),
            [
                "| **A**, rounds: 7 |  |  |  |  |  |  |",
                "| a\\|b | 2.00 ms |  |  | 1.00 |  |  |",
                "| sesame | 3.00 ms | 1.00 ms |  | 1.50 |  |  |",
            ]
        );
    }
}
