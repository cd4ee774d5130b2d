//! `sesame extension dev`

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use core_types::ErrorKind;
use core_types::event::EventName;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use crate::arguments::{
    CallArguments, Command, DevArguments, EverydayCommand, ExtensionCommand, Presentation,
    TestArguments, TriggerArguments, TypedValue,
};
use crate::authoring::{
    Development,
    build::{built, project},
};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::project::{Made, Project, is_lock};
use crate::render;

/// The directory with the tests of a project, as `test` has it by default.
const TESTS: &str = "tests";
/// The pause after a change before a build: editors write a file several times.
const QUIET: Duration = Duration::from_millis(200);

/// Builds, installs and calls an extension on each change, under a name that is removed when the
/// command ends. A failed build leaves the installed one.
pub fn run(context: &Context, arguments: &DevArguments) -> Result<Outcome, Failure> {
    let development = Development::begin(context, &project()?, arguments.name.as_ref())?;
    let code = rounds(context, &development, arguments);
    development.end(context);
    if arguments.once && !matches!(code, Ok(ExitCode::Done)) {
        // The hints of a failure name the extension, which is gone.
        context.status("without `--once` it stays until Ctrl-C, and the commands above work");
    }
    code.map(Outcome::AlreadyPrinted)
}

/// Runs one round, or round after round until the process is ended.
fn rounds(
    context: &Context,
    development: &Development,
    arguments: &DevArguments,
) -> Result<ExitCode, Failure> {
    loop {
        let (changes, watcher) = watch(Path::new("."))?;
        let code = round(context, development, arguments);
        if arguments.once {
            return Ok(code);
        }
        context.status("waiting for a change; end with Ctrl-C");
        wait_for_change(&changes)?;
        drop(watcher);
    }
}

fn round(context: &Context, development: &Development, arguments: &DevArguments) -> ExitCode {
    let tried = project().and_then(|project| {
        let path = built(context, &project)?;
        Ok((development.install(context, &project, &path)?, path))
    });
    match tried {
        Ok((installation, path)) => {
            if let Some(installation) = installation {
                // A failed print does not matter: the extension can be called all the same.
                let outcome = Outcome::Installed(vec![installation]);
                let _ = render::outcome(context, &Presentation::default(), &outcome);
            }
            call(context, development, &path, arguments)
        }
        Err(failure) => {
            render::failure(context, &failure);
            context.status("what was installed before stays");
            failure.code()
        }
    }
}

/// Calls the installed extension, or tests the built one.
fn call(
    context: &Context,
    development: &Development,
    built: &Path,
    arguments: &DevArguments,
) -> ExitCode {
    if let Some(event) = &arguments.event {
        return match trigger(development, event, arguments) {
            Ok(arguments) => {
                let command = ExtensionCommand::Trigger(arguments);
                crate::run(context, Command::Extension(Box::new(command)))
            }
            Err(failure) => {
                render::failure(context, &failure);
                failure.code()
            }
        };
    }
    let command = match &arguments.function {
        Some(function) => ExtensionCommand::Everyday(EverydayCommand::Call(CallArguments::plain(
            development.name().clone(),
            Some(function.clone()),
            arguments.arguments.clone(),
        ))),
        None => ExtensionCommand::Test(TestArguments {
            binary: Some(built.to_owned()),
            tests: TESTS.into(),
        }),
    };
    crate::run(context, Command::Extension(Box::new(command)))
}

/// Returns the delivery of the event, whose values stand in the place of a function with its
/// arguments.
fn trigger(
    development: &Development,
    event: &EventName,
    arguments: &DevArguments,
) -> Result<TriggerArguments, Failure> {
    let function = arguments.function.iter().cloned();
    let rest = arguments.arguments.iter().map(|word| word.to_string_lossy().into_owned());
    let values = function.chain(rest).map(|word| word.parse::<TypedValue>());
    let values = values.collect::<Result<_, _>>();
    let values = values.map_err(|error| Failure::message(ErrorKind::Usage, error))?;
    Ok(TriggerArguments { name: development.name().clone(), event: event.clone(), values })
}

/// Watches each directory of a project with files of a person.
fn watch(root: &Path) -> Result<(Receiver<()>, RecommendedWatcher), Failure> {
    let failed = |error: notify::Error| {
        Failure::message(ErrorKind::Local, "cannot watch this directory for changes")
            .caused_by(error)
    };
    let root = &fs::canonicalize(root)?;
    // A project that cannot be read now is watched until it can.
    let made = Made::of(Project::find(root).ok().flatten().as_ref());
    let (sender, changes) = mpsc::channel();
    let below = root.clone();
    let made_below = made.clone();
    let is_by_hand = move |path: &std::path::PathBuf| {
        let path = path.strip_prefix(&below).unwrap_or(path);
        !made_below.contains(path) && !is_lock(path)
    };
    let told = move |event: notify::Result<notify::Event>| {
        let is_change =
            event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(&is_by_hand));
        if is_change {
            let _ = sender.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(told).map_err(failed)?;
    watcher.watch(root, RecursiveMode::NonRecursive).map_err(failed)?;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !made.contains(Path::new(&entry.file_name()))
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
        {
            watcher.watch(&entry.path(), RecursiveMode::Recursive).map_err(failed)?;
        }
    }
    Ok((changes, watcher))
}

fn wait_for_change(changes: &Receiver<()>) -> Result<(), Failure> {
    let gone = |_| Failure::message(ErrorKind::Local, "the file watcher stopped");
    changes.recv().map_err(gone)?;
    while changes.recv_timeout(QUIET).is_ok() {}
    Ok(())
}
