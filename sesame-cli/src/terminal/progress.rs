//! Progress on standard error, where a person is watching: a line for each extension that is worked
//! on, with its phase, or with the bytes, the rate and the rest of its download.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use core_types::ExtensionName;
use extension_depot::registry::Progress;
use extension_manager::Phase;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::shorten::middle;
use crate::context::Context;

/// How long is waited before it is said what for: shorter, and the line would only flicker.
const MOMENT: Duration = Duration::from_millis(300);
/// How often a line shows that it is alive.
const TICK: Duration = Duration::from_millis(100);
/// The columns of a name: longer ones would leave too few for the rest of a line.
const MAX_NAME: usize = 24;
/// A line of work whose length is unknown.
const WORK: &str = "{prefix}{spinner} {elapsed} {wide_msg}";
/// A line of a download. What matters least is last, as a narrow terminal cuts it off.
const DOWNLOAD: &str =
    "{prefix}downloading {bytes}/{total_bytes} {bytes_per_sec} {eta} left {wide_bar}";

/// The lines of this process. Clones share them.
#[derive(Clone)]
pub struct ProgressLines {
    /// Nothing where nobody watches.
    screen: Option<MultiProgress>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The lines by their extensions. What belongs to none has one together.
    lines: BTreeMap<Option<ExtensionName>, Line>,
    /// The extension that was heard of last, to which a wait belongs.
    current: Option<(ExtensionName, Phase)>,
}

struct Line {
    bar: ProgressBar,
    is_download: bool,
}

impl ProgressLines {
    /// Returns lines that a person sees, or none.
    pub fn new(is_shown: bool) -> Self {
        let screen =
            is_shown.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { screen, state: Arc::default() }
    }

    /// Notes that the work on an extension has come to a phase. A line that is there shows it; a
    /// new one would flicker for a phase that takes no time. No line is beside a question.
    pub fn phase(&self, name: &ExtensionName, phase: Phase) {
        let mut state = self.state();
        state.current = Some((name.clone(), phase));
        if phase == Phase::Deciding {
            state.clear();
        } else if let Some(line) = state.lines.get_mut(&Some(name.clone())) {
            line.show_work(phase.name());
        }
    }

    /// Shows that something is waited for.
    pub fn wait(&self, what: &str) {
        let key = self.state().current.as_ref().map(|(name, _)| name.clone());
        if let Some(line) = self.line(&mut self.state(), key) {
            line.show_work(what);
        }
    }

    /// Notes that it is not waited for any more.
    pub fn end_wait(&self) {
        let mut state = self.state();
        match state.current.clone() {
            None => state.remove(&None),
            Some((name, phase)) => {
                if let Some(line) = state.lines.get_mut(&Some(name)) {
                    line.show_work(phase.name());
                }
            }
        }
    }

    /// Takes a report of the download of an extension.
    pub fn download(&self, name: &ExtensionName, progress: Progress) {
        if let Some(line) = self.line(&mut self.state(), Some(name.clone())) {
            line.show_download(progress);
        }
    }

    /// Removes the line of an extension.
    pub fn end(&self, name: &ExtensionName) {
        let mut state = self.state();
        state.current.take_if(|(current, _)| current == name);
        state.remove(&Some(name.clone()));
    }

    /// Removes all lines, as before a question or an outcome.
    pub fn clear(&self) {
        self.state().clear();
    }

    /// Writes something else to the terminal, above the lines.
    pub fn above(&self, write: impl FnOnce()) {
        match &self.screen {
            Some(screen) => screen.suspend(write),
            None => write(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the line of an extension, which is added below the others if it is not there.
    fn line<'a>(&self, state: &'a mut State, key: Option<ExtensionName>) -> Option<&'a mut Line> {
        let screen = self.screen.as_ref()?;
        let name = key.as_ref().map(|name| format!("{}  ", middle(name.as_str(), MAX_NAME)));
        let add = || {
            // It is drawn when it has something to say, and not before.
            let bar = ProgressBar::hidden();
            bar.set_prefix(name.unwrap_or_default());
            Line { bar: screen.add(bar), is_download: false }
        };
        Some(state.lines.entry(key).or_insert_with(add))
    }
}

impl State {
    fn remove(&mut self, key: &Option<ExtensionName>) {
        if let Some(line) = self.lines.remove(key) {
            line.bar.finish_and_clear();
        }
    }

    fn clear(&mut self) {
        for (_, line) in std::mem::take(&mut self.lines) {
            line.bar.finish_and_clear();
        }
    }
}

impl Line {
    fn show_work(&mut self, what: &str) {
        self.is_download = false;
        self.use_template(WORK);
        self.bar.set_message(what.to_owned());
        self.bar.reset_elapsed();
        self.bar.enable_steady_tick(TICK);
    }

    fn show_download(&mut self, progress: Progress) {
        if !self.is_download {
            self.is_download = true;
            self.use_template(DOWNLOAD);
            self.bar.set_length(0);
            self.bar.reset();
            self.bar.enable_steady_tick(TICK);
        }
        match progress {
            Progress::Resolved { bytes, .. } => self.bar.inc_length(bytes),
            Progress::Received(bytes) => self.bar.inc(bytes),
            Progress::Restarted(bytes) => self.bar.dec(bytes),
        }
    }

    fn use_template(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}

/// Waits for work, and shows the wait if it takes longer than a moment.
pub async fn waiting<T>(context: &Context, what: String, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
        return done;
    }
    context.progress.wait(&what);
    let done = work.await;
    context.progress.end_wait();
    done
}
