//! The nearest names of events, for those that are misspelt.

use crate::event::spec::EventType;

/// Longer than every name of the table, so that a longer text is near to none of them.
const MAX_TEXT: usize = 64;
/// Half of the letters are the same: a name that is further off is rather another idea than a typing
/// error.
const MIN_SIMILARITY: f64 = 0.5;

/// The patterns that cover a whole family.
const FAMILIES: [&str; 7] =
    ["time.*", "session.*", "system.*", "power.*", "network.*", "config.*", "custom.*"];

/// Returns the nearest name of an event. The name of a family stands for its first event.
pub(crate) fn nearest_name(text: &str) -> Option<&'static str> {
    let names = EventType::ALL.into_iter().filter(|event| *event != EventType::Custom);
    let specs = names.map(EventType::spec);
    let first = specs.clone().find(|spec| spec.family() == text).map(|spec| spec.name);
    first.or_else(|| nearest_of(text, specs.map(|spec| spec.name)))
}

/// Returns the nearest name of an event, or the nearest pattern of a family.
pub(super) fn nearest_pattern(text: &str) -> Option<&'static str> {
    let words = FAMILIES.into_iter().filter_map(|pattern| pattern.strip_suffix(".*"));
    let word = nearest_of(text, words).filter(|_| !text.contains('.'));
    let pattern = |word| FAMILIES.into_iter().find(|it| it.strip_suffix(".*") == Some(word));
    word.and_then(pattern).or_else(|| nearest_name(text))
}

fn nearest_of(text: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let text = text.to_lowercase();
    let similarity = |name: &&str| strsim::normalized_levenshtein(name, &text);
    let near = names.filter(|name| similarity(name) > MIN_SIMILARITY);
    near.max_by(|one, other| similarity(one).total_cmp(&similarity(other)))
}

/// Returns the end of a sentence about an unknown name.
pub(super) fn or_nearest(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; the nearest is `{nearest}`")).unwrap_or_default()
}
