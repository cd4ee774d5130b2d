//! What wakes an extension: patterns of events, tables of settings, and events that are made up.
#![no_main]

use core_types::event::{EventPattern, EventTables, Occurrence};
use core_types::{ExtensionName, Manifest, parse_toml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for line in text.lines() {
        read_pattern(line);
    }
    let name: ExtensionName = "fuzzed".parse().expect("a name");
    match Manifest::parse(text, &name) {
        Ok(parsed) => read_tables(&parsed.value.events, text),
        Err(problem) => assert!(!problem.to_string().is_empty()),
    }
});

/// A pattern is read again as itself, and covers what it names but for private events.
fn read_pattern(text: &str) {
    let Ok(pattern) = text.parse::<EventPattern>() else { return };
    assert_eq!(pattern.to_string().parse().as_ref(), Ok(&pattern));
    assert!(pattern.covers_all(&pattern) && pattern.names_all(&pattern));
    assert!(pattern.topic_below().is_none_or(|topic| pattern.covers(&topic)));
}

/// Tables are read again as themselves, over themselves they are the same, and no settings mean more
/// than the same settings.
fn read_tables(tables: &EventTables, text: &str) {
    let again = parse_toml::<EventTables>(&tables.to_toml()).expect("what was written");
    assert_eq!(again.value, *tables);
    assert_eq!(tables.over(tables), *tables);
    let given = text.split_whitespace().filter_map(|word| word.split_once('='));
    let given: Vec<_> = given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, table) in tables.iter() {
        if let Ok(settings) = table.settings(name) {
            assert!(!settings.is_wider_than(&settings), "{name}: {settings}");
        }
        if let Ok(event) = Occurrence::made_up(name.clone(), &given, 0) {
            assert_eq!(event.values.len(), name.spec().values.len());
        }
    }
}
