//! Files that change under a real watch.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::event::{EventValue, Settings};

use crate::{
    Deliver, Delivered, Delivery, Engine, Files, Forgetful, Parts, SourceState, Subscriber,
    Subscribers, SystemClock, Wake,
};

const LONG: Duration = Duration::from_secs(20);

struct Telling(Mutex<Sender<Delivery>>);

impl Deliver for Telling {
    fn deliver(&self, delivery: &Delivery) -> Delivered {
        self.0.lock().expect("a sender").send(delivery.clone()).expect("a receiver");
        Delivered::default()
    }
}

struct One(Subscriber);

impl Subscribers for One {
    fn list(&mut self) -> Vec<Subscriber> {
        vec![self.0.clone()]
    }
}

/// Starts an engine for one extension that watches paths below a home directory.
fn watching(home: &Path, paths: &[&str], hidden: &'static str) -> (Engine, Receiver<Delivery>) {
    let paths = paths.iter().map(|path| path.parse().expect(path)).collect();
    let event = "file.changed".parse().expect("a pattern");
    let wake = Wake { settings: Settings::File { paths }, ..Wake::by(event) };
    let min_interval = Duration::from_millis(1);
    let name = "a".parse().expect("a name");
    let subscriber = Subscriber { min_interval, ..Subscriber::new(name, vec![wake]) };
    let (sender, delivered) = channel();
    let files = Files::new(home.to_owned(), move |_, path| !path.ends_with(hidden));
    let engine = Engine::start(Parts {
        deliver: Arc::new(Telling(Mutex::new(sender))),
        subscribers: Box::new(One(subscriber)),
        sources: vec![Box::new(files)],
        clock: Box::new(SystemClock::new()),
        memory: Box::new(Forgetful),
        max_parallel: 2,
    })
    .expect("started");
    (engine, delivered)
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

/// A path that is not there is a source that says so, and the others are watched.
#[test]
fn missing_path_is_said() {
    let home = tempfile::tempdir().expect("a directory");
    let (engine, _delivered) = watching(home.path(), &["~/gone/file"], "");
    let status = engine.status().expect("running");
    let [(_, SourceState::Absent(why))] = &status.sources[..] else { panic!("{status:?}") };
    assert!(why.contains("gone"), "{why}");
}
