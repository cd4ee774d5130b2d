//! Progress on standard error, where a person is watching.

use std::cell::RefCell;
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
    /// What is shown in its place until it is known how much comes.
    waiting: RefCell<Option<Spinner>>,
}

impl DownloadBar {
    /// A bar that is drawn only where somebody watches.
    pub fn new(context: &Context) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target(context));
        if let Ok(style) =
            ProgressStyle::with_template("downloading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, waiting: RefCell::new(None) }
    }

    /// Takes what the download reports.
    pub fn update(&self, progress: Progress) {
        drop(self.waiting.take());
        match progress {
            Progress::Resolved { bytes, .. } => self.bar.inc_length(bytes),
            Progress::Received(bytes) => self.bar.inc(bytes),
            Progress::Restarted(bytes) => self.bar.dec(bytes),
        }
    }

    /// Waits for the work that reports to this bar. Shows what is waited for from a moment on until it reports.
    pub async fn waiting<T>(&self, context: &Context, what: String, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
            return done;
        }
        if self.bar.length() == Some(0) {
            self.waiting.replace(Some(Spinner::start(context, what)));
        }
        let done = work.await;
        drop(self.waiting.take());
        done
    }
}

impl Drop for DownloadBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows that something of unknown length is going on, while it does.
pub fn working<T>(context: &Context, what: &'static str, work: impl FnOnce() -> T) -> T {
    let shown = Spinner::start(context, what.to_owned());
    let done = work();
    drop(shown);
    done
}

/// Shows what is waited for, where that takes longer than a moment, until it is there.
pub async fn waiting<T>(context: &Context, what: String, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    if let Ok(done) = tokio::time::timeout(MOMENT, &mut work).await {
        return done;
    }
    let shown = Spinner::start(context, what);
    let done = work.await;
    drop(shown);
    done
}

/// A line that is gone when this is dropped, even where what it stood for was interrupted.
struct Spinner(ProgressBar);

impl Spinner {
    fn start(context: &Context, what: String) -> Self {
        let spinner = ProgressBar::with_draw_target(None, target(context)).with_message(what);
        if let Ok(style) = ProgressStyle::with_template("{msg} {spinner} {elapsed}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(100));
        Self(spinner)
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn target(context: &Context) -> ProgressDrawTarget {
    if context.terminal.shows_progress() && !context.global.quiet {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}
