//! The figures of a sample, and their aims.

use std::sync::LazyLock;

use regex::Regex;

use super::sample::{Line, Sample, pattern};

static NOUN_CLAUSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:what|whoever|whom|whosever|whichever) (?:is|are|was|were|it|a|an|the|they|has|have|had|came|comes|refers|would|could|can|does|did|do|no|this|that|somebody|nobody|his|its|makes?|wants?|signs?|signed|asks?|knows?)\b",
    )
});
static NEGATED_NOUN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:is|are|was|has|have) no\b|\b(?:no|some|any)body\b"));
/// A first word that ends in one s.
static FIRST_WORD_IN_S: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([A-Z][a-z]*[a-rt-z]s)\b"));
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\w+"));

/// First words in -s that are not verbs.
const NOT_VERBS: [&str; 3] = ["This", "Its", "Whose"];

/// A figure, as a column of the table.
pub struct Figure {
    /// Its name.
    pub label: &'static str,
    /// The heading of its column.
    pub heading: &'static str,
    /// Its aim. Ten in 10,000 is above the figures of others, with room for quotations.
    pub aim: Option<f64>,
    /// Whether it reached its aim in the whole tree, and has to keep it.
    is_held: bool,
    measure: Measure,
}

/// The measure of a figure.
enum Measure {
    NounClauses(fn(&Sample) -> &[Line]),
    NegatedNouns(fn(&Sample) -> &[Line]),
    VerbFirst,
    MedianName,
    LongestName,
    Names,
}

const fn density(
    label: &'static str,
    heading: &'static str,
    is_held: bool,
    measure: Measure,
) -> Figure {
    Figure { label, heading, aim: Some(10.0), is_held, measure }
}

/// All figures, in the order of their columns.
pub const FIGURES: [Figure; 10] = [
    density("comments: wh-clauses", "comments wh", true, Measure::NounClauses(|it| &it.comments)),
    density("comments: negated nouns", "no", true, Measure::NegatedNouns(|it| &it.comments)),
    Figure {
        label: "functions: verb first",
        heading: "verb first",
        aim: Some(75.0),
        is_held: true,
        measure: Measure::VerbFirst,
    },
    density(
        "test comments: wh-clauses",
        "tests wh",
        false,
        Measure::NounClauses(|it| &it.test_comments),
    ),
    density(
        "test comments: negated nouns",
        "no",
        false,
        Measure::NegatedNouns(|it| &it.test_comments),
    ),
    Figure {
        label: "tests: length of names",
        heading: "names",
        aim: Some(32.0),
        is_held: true,
        measure: Measure::MedianName,
    },
    Figure {
        label: "tests: longest name",
        heading: "longest",
        aim: None,
        is_held: false,
        measure: Measure::LongestName,
    },
    Figure {
        label: "tests: number",
        heading: "number",
        aim: None,
        is_held: false,
        measure: Measure::Names,
    },
    density("Markdown: wh-clauses", "Markdown wh", true, Measure::NounClauses(|it| &it.markdown)),
    density("Markdown: negated nouns", "no", true, Measure::NegatedNouns(|it| &it.markdown)),
];

impl Figure {
    /// Returns the figure of a sample, if the sample has anything to measure.
    pub fn value(&self, sample: &Sample) -> Option<f64> {
        match &self.measure {
            Measure::NounClauses(lines) => in_10_000_words(&NOUN_CLAUSE, lines(sample)),
            Measure::NegatedNouns(lines) => in_10_000_words(&NEGATED_NOUN, lines(sample)),
            Measure::VerbFirst => {
                let (all, without) = (sample.first_lines.len(), self.places(sample).len());
                (all > 0).then(|| 100.0 - 100.0 * without as f64 / all as f64)
            }
            Measure::MedianName => median(&sample.names),
            Measure::LongestName => sample.names.iter().max().map(|&longest| longest as f64),
            Measure::Names => Some(sample.names.len() as f64).filter(|&number| number > 0.0),
        }
    }

    /// Returns the lines that count against the aim, each as often as it does.
    pub fn places<'a>(&self, sample: &'a Sample) -> Vec<&'a Line> {
        match &self.measure {
            Measure::NounClauses(lines) => matches(&NOUN_CLAUSE, lines(sample)),
            Measure::NegatedNouns(lines) => matches(&NEGATED_NOUN, lines(sample)),
            Measure::VerbFirst => {
                sample.first_lines.iter().filter(|line| !begins_with_verb(&line.text)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns whether the figure has to reach its aim, and does not.
    pub fn is_missed(&self, sample: &Sample) -> bool {
        let (Some(aim), Some(value)) = (self.aim, self.value(sample)) else { return false };
        let is_missed =
            if matches!(self.measure, Measure::VerbFirst) { value < aim } else { value > aim };
        self.is_held && is_missed
    }
}

fn begins_with_verb(text: &str) -> bool {
    FIRST_WORD_IN_S.captures(text).is_some_and(|found| !NOT_VERBS.contains(&&found[1]))
}

fn matches<'a>(pattern: &Regex, lines: &'a [Line]) -> Vec<&'a Line> {
    lines.iter().flat_map(|line| pattern.find_iter(&line.text).map(move |_| line)).collect()
}

fn in_10_000_words(pattern: &Regex, lines: &[Line]) -> Option<f64> {
    let words: usize = lines.iter().map(|line| WORD.find_iter(&line.text).count()).sum();
    (words > 0).then(|| 10_000.0 * matches(pattern, lines).len() as f64 / words as f64)
}

fn median(lengths: &[usize]) -> Option<f64> {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some((lower + upper) as f64 / 2.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn value(label: &str, sample: &Sample) -> Option<f64> {
        FIGURES.iter().find(|figure| figure.label == label).expect("a figure").value(sample)
    }

    #[test]
    fn clauses_are_counted_in_words() {
        let text = "What is here. Whatever is.\nThere is no such thing, and nobody has no hat.\n";
        let sample = Sample::of_document(Path::new("a.md"), text);
        assert_eq!(value("Markdown: wh-clauses", &sample), Some(10_000.0 / 15.0));
        assert_eq!(value("Markdown: negated nouns", &sample), Some(30_000.0 / 15.0));
        assert_eq!(value("comments: wh-clauses", &sample), None);
        assert!(FIGURES[8].is_missed(&sample) && !FIGURES[0].is_missed(&sample));
    }

    #[test]
    fn verbs_are_in_the_third_person() {
        assert!(begins_with_verb("Returns it.") && begins_with_verb("Checks: all"));
        for text in ["This is", "Its", "As it is", "Whose", "Pass it", "returns", "Return", "Asks2"]
        {
            assert!(!begins_with_verb(text), "{text}");
        }
    }

    #[test]
    fn median_is_between_the_middle_two() {
        assert_eq!(
            (median(&[]), median(&[3, 1, 2]), median(&[4, 1])),
            (None, Some(2.0), Some(2.5))
        );
    }
}
