//! Progress on standard error, where a person is watching.

use std::pin::pin;
use std::time::Duration;

use extension_depot::registry::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::context::Context;

/// How long is waited before it is said what for: shorter, and the line would only flicker.
const MOMENT: Duration = Duration::from_millis(300);

/// One bar for everything that is downloaded.
pub struct DownloadBar {
    bar: ProgressBar,
}

impl DownloadBar {
    /// Makes a bar that is drawn only for a person.
    pub fn on(line: ProgressLine) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), line.target());
        if let Ok(style) = ProgressStyle::with_template(
            "downloading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        ) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Takes a report of the download.
    pub fn update(&self, progress: Progress) {
        match progress {
            Progress::Resolved { bytes, .. } => self.bar.inc_length(bytes),
            Progress::Received(bytes) => self.bar.inc(bytes),
            Progress::Restarted(bytes) => self.bar.dec(bytes),
        }
    }
}

impl Drop for DownloadBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Waits for work, and shows the wait if it takes longer than a moment.
pub async fn waiting<T>(context: &Context, what: String, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
        return done;
    }
    let shown = ProgressLine::new(context).start(what);
    let done = work.await;
    drop(shown);
    done
}

/// The place where progress is drawn, if a person watches.
#[derive(Debug, Clone, Copy)]
pub struct ProgressLine {
    is_shown: bool,
}

impl ProgressLine {
    /// Returns a line on standard error.
    pub fn new(context: &Context) -> Self {
        Self { is_shown: context.terminal.shows_progress() && !context.global.quiet }
    }

    /// Shows work of unknown length, until the result is dropped.
    pub fn start(self, what: String) -> Spinner {
        let spinner = ProgressBar::with_draw_target(None, self.target()).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        Spinner(spinner)
    }

    fn target(self) -> ProgressDrawTarget {
        if self.is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
    }
}

/// A line that is removed when this is dropped, even if its work was interrupted.
pub struct Spinner(ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
