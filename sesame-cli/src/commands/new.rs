//! `sesame extension new`

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::arguments::NewArguments;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::template;

/// Makes a directory with a project in it that builds, has a test and a page of documentation.
pub fn run(arguments: &NewArguments) -> Result<Outcome, Failure> {
    let NewArguments { name, language, sdk, directory } = arguments;
    let directory = directory.clone().unwrap_or_else(|| name.as_str().into());
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| {
            let failure = Failure::message(ExitCode::Local, format!("cannot make `{path}`")).caused_by(&error);
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                return failure.with_hint("name another directory with `--directory`; nothing was changed");
            }
            failure
        }
    };
    let sdk = sdk.as_deref().map(|sdk| fs::canonicalize(sdk).map_err(failed(sdk))).transpose()?;
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent).map_err(failed(parent))?;
    }
    fs::create_dir(&directory).map_err(failed(&directory))?;
    let mut written = Vec::new();
    for (path, text) in template::files(name, *language, sdk.as_deref()) {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(&directory);
        fs::create_dir_all(parent).map_err(failed(parent))?;
        let file = fs::File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        file.map_err(failed(&path))?;
        written.push(path);
    }
    Ok(Outcome::Begun { directory, written })
}
