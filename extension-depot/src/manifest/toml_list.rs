//! Lists in a TOML text, changed entry by entry: what stays keeps its form and its comments.

use toml_edit::{Array, Value};

/// Keeps the entries that a test says yes to. What stands above or beside another entry stays as
/// well.
pub(crate) fn retain(array: &mut Array, keep: impl Fn(&Value) -> bool) {
    for at in (0..array.len()).rev() {
        let Some(removed) = array.get(at).filter(|entry| !keep(entry)).cloned() else { continue };
        array.remove(at);
        let before = prefix(&removed);
        if let Some(next) = array.get_mut(at) {
            let joined = without_entry_between(&before, &prefix(next));
            next.decor_mut().set_prefix(joined);
            continue;
        }
        let end = trailing(array);
        if end.contains('\n') || before.contains('\n') {
            set_trailing(array, without_entry_between(&before, &end));
        }
    }
}

/// Adds an entry at the end: on a line of its own where the entry before it has one.
pub(crate) fn push(array: &mut Array, mut entry: Value) {
    let end = trailing(array);
    let Some((above, last_line)) = end.rsplit_once('\n') else { return array.push(entry) };
    let last = array.iter().last().map(prefix);
    let indent = last
        .as_deref()
        .and_then(|prefix| prefix.rsplit_once('\n'))
        .map_or("    ", |(_, indent)| indent);
    entry.decor_mut().set_prefix(format!("{above}\n{indent}"));
    let last_line = format!("\n{last_line}");
    if let Some(last) = array.iter_mut().last() {
        last.decor_mut().set_suffix("");
    }
    array.push_formatted(entry);
    set_trailing(array, last_line);
}

/// What stands between the last entry and the closing bracket. Without a comma behind it, that
/// belongs to the entry.
fn trailing(array: &Array) -> String {
    let suffix = array.iter().last().and_then(|last| last.decor().suffix()?.as_str());
    let behind_entry = suffix.filter(|_| !array.trailing_comma()).unwrap_or_default();
    [behind_entry, array.trailing().as_str().unwrap_or_default()].concat()
}

fn set_trailing(array: &mut Array, text: String) {
    let is_behind_entry = !array.trailing_comma();
    match array.iter_mut().last().filter(|_| is_behind_entry) {
        Some(last) => {
            last.decor_mut().set_suffix(text);
            array.set_trailing("");
        }
        None => array.set_trailing(text),
    }
}

fn prefix(entry: &Value) -> String {
    entry.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default().to_owned()
}

/// What stood in front of an entry and behind it, without the entry and the comment on its line.
fn without_entry_between(before: &str, after: &str) -> String {
    match (before.rsplit_once('\n'), after.find('\n')) {
        (Some((above, _)), Some(line_end)) => [above, &after[line_end..]].concat(),
        (None, Some(line_end)) => [before.trim_end(), &after[line_end..]].concat(),
        // Only a comment has to be ended by a line.
        (Some((above, _)), None) if above.contains('#') => [above, "\n", after].concat(),
        (_, None) => before.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml_edit::DocumentMut;

    fn edited(text: &str, edit: impl Fn(&mut Array)) -> String {
        let mut document: DocumentMut = text.parse().expect(text);
        edit(document["a"].as_array_mut().expect("a list"));
        let written = document.to_string();
        written.parse::<DocumentMut>().unwrap_or_else(|error| panic!("{written}: {error}"));
        written
    }

    fn without(text: &str, gone: &[&str]) -> String {
        edited(text, |array| {
            retain(array, |entry| !gone.contains(&entry.as_str().unwrap_or_default()))
        })
    }

    const LINES: &str = "a = [ # all\n    # first\n    'x', # of x\n    'y', # of y\n    # last\n    'z', # of z\n] # end\n";

    /// The comment on the line of an entry goes with it; every other one stays.
    #[test]
    fn removal_keeps_other_comments() {
        insta::assert_snapshot!(without(LINES, &["y"]), @r"
        a = [ # all
            # first
            'x', # of x
            # last
            'z', # of z
        ] # end
        ");
        insta::assert_snapshot!(without(LINES, &["x", "z"]), @r"
        a = [ # all
            # first
            'y', # of y
            # last
        ] # end
        ");
        insta::assert_snapshot!(without(LINES, &["x", "y", "z"]), @r"
        a = [ # all
            # first
            # last
        ] # end
        ");
    }

    /// A list on one line stays on one.
    #[test]
    fn removal_keeps_one_line() {
        let text = "a = ['x', 'y', 'z'] # end\n";
        assert_eq!(without(text, &["x"]), "a = ['y', 'z'] # end\n");
        assert_eq!(without(text, &["y"]), "a = ['x', 'z'] # end\n");
        assert_eq!(without(text, &["z"]), "a = ['x', 'y'] # end\n");
        assert_eq!(without(text, &["x", "y", "z"]), "a = [] # end\n");
        assert_eq!(
            without("a = [\n  'x', # of x\n  'y' # of y\n]\n", &["y"]),
            "a = [\n  'x' # of x\n]\n"
        );
        assert_eq!(without("a = [\n  'x', # of x\n  'y']\n", &["y"]), "a = [\n  'x' # of x\n]\n");
    }

    /// A new entry stands where the user would have put it, and does not take another's
    /// comment.
    #[test]
    fn pushed_entry_keeps_the_form() {
        let pushed = |text: &str| edited(text, |array| push(array, "new".into()));
        assert_eq!(pushed("a = ['x'] # end\n"), "a = ['x', \"new\"] # end\n");
        assert_eq!(pushed("a = []\n"), "a = [\"new\"]\n");
        assert_eq!(pushed("a = [\n  'x', # of x\n]\n"), "a = [\n  'x', # of x\n  \"new\",\n]\n");
        assert_eq!(pushed("a = [\n  'x' # of x\n]\n"), "a = [\n  'x', # of x\n  \"new\"\n]\n");
        assert_eq!(pushed("a = [ # none\n]\n"), "a = [ # none\n    \"new\"\n]\n");
        assert_eq!(pushed("a = ['x',\n  'y']\n"), "a = ['x',\n  'y', \"new\"]\n");
    }
}
