//! Files that change under a real watch.

use std::path::Path;
use std::sync::mpsc::Receiver;

use core_types::event::{EventValue, Settings};

use crate::testing::{Changing, LONG, parts, subscriber};
use crate::{Delivery, Engine, Files, SourceState, Wake};

/// Starts an engine for one extension that watches paths below a home directory.
fn watching(home: &Path, paths: &[&str], hidden: &'static str) -> (Engine, Receiver<Delivery>) {
    let paths = paths.iter().map(|path| path.parse().expect(path)).collect();
    let event = "file.changed".parse().expect("a pattern");
    let wake = Wake { settings: Settings::File { paths }, ..Wake::by(event) };
    let changing = Changing::default();
    changing.set(vec![subscriber("a", vec![wake])]);
    let files =
        Files::new(home.to_owned(), move |_, path, _| (!path.ends_with(hidden)).then_some(0));
    let (parts, delivered) = parts(&changing, vec![Box::new(files)]);
    (Engine::start(parts).expect("started"), delivered)
}

/// Waits for a delivery that tells of a path.
fn told(delivered: &Receiver<Delivery>, path: &Path) {
    let path = EventValue::Text(path.to_str().expect("text").to_owned());
    loop {
        let delivery = delivered.recv_timeout(LONG).expect("a delivery");
        if delivery.occurrence.values.contains(&("path", path.clone())) {
            return;
        }
    }
}

/// A directory means its entries, a file itself, also when it is replaced; nothing else is told.
#[test]
fn changes_are_told() {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path();
    for directory in ["notes/deep", "other"] {
        std::fs::create_dir_all(home.join(directory)).expect("made");
    }
    let (engine, delivered) = watching(home, &["~/notes", "~/other/one.txt"], "hidden.txt");
    let status = engine.status().expect("running");
    assert_eq!(status.sources, [("files", SourceState::Listening)]);
    for silent in ["notes/deep/two.txt", "notes/hidden.txt", "other/two.txt"] {
        std::fs::write(home.join(silent), "x").expect("written");
    }
    std::fs::write(home.join("notes/a.txt"), "x").expect("written");
    let first = delivered.recv_timeout(LONG).expect("a delivery");
    let path = home.join("notes/a.txt").to_str().expect("text").to_owned();
    assert_eq!(first.occurrence.values[0], ("path", EventValue::Text(path)));
    std::fs::write(home.join("new"), "y").expect("written");
    std::fs::rename(home.join("new"), home.join("other/one.txt")).expect("replaced");
    told(&delivered, &home.join("other/one.txt"));
}

/// The entries of a directory that comes later are told as well.
#[test]
fn directory_that_comes_is_watched() {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path();
    let (engine, delivered) = watching(home, &["~/later"], "none");
    engine.status().expect("it watches");
    std::fs::create_dir(home.join("later")).expect("made");
    told(&delivered, &home.join("later"));
    let begun = std::time::Instant::now();
    let entry = EventValue::Text(home.join("later/a.txt").to_str().expect("text").to_owned());
    loop {
        std::fs::write(home.join("later/a.txt"), "x").expect("written");
        let next = delivered.recv_timeout(std::time::Duration::from_millis(300)).ok();
        if next.is_some_and(|it| it.occurrence.values.contains(&("path", entry.clone()))) {
            break;
        }
        assert!(begun.elapsed() < LONG, "its entries are not watched");
    }
}

/// A path that is not there is a source that says so, and the others are watched.
#[test]
fn missing_path_is_said() {
    let home = tempfile::tempdir().expect("a directory");
    let (engine, _delivered) = watching(home.path(), &["~/gone/file"], "");
    let status = engine.status().expect("running");
    let [(_, SourceState::Absent(why))] = &status.sources[..] else { panic!("{status:?}") };
    assert!(why.contains("gone"), "{why}");
}
