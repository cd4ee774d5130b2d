//! `sesame demo`

use std::collections::BTreeMap;

use clap::Parser;
use core_types::{ErrorKind, OciReference};
use extension_depot::registry::{Registry, Settings};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{Description, Publication};

use crate::arguments::{Arguments, DemoArguments};
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The greeting extension, built from `tests/guests/greeting`.
const GREETING: &[u8] = include_bytes!("../../../tests/guests/built/greeting.wasm");

/// Installs and calls an extension as a person would type it, from a registry in this process and
/// in a temporary home.
pub fn run(context: &Context, arguments: &DemoArguments) -> Result<Outcome, Failure> {
    let registry = MemoryRegistry::start()?;
    let reference = publish(context, &registry)?;
    registry.seal();
    let home = tempfile::tempdir()?;
    let there = context.below(home.path());
    say(context, &format!("A registry runs on {}, with one extension in it.", registry.host()))?;
    for line in [
        format!("sesame extension install {reference}"),
        "sesame extension list".to_owned(),
        "sesame extension call greeting-extension greet World".to_owned(),
    ] {
        say(context, &format!("\n$ {line}"))?;
        let code = crate::run(&there, Arguments::parse_from(line.split(' ')).command);
        if code != ExitCode::Done {
            return Ok(Outcome::Shown(code));
        }
    }
    say(context, &next_steps(&reference, arguments.serve))?;
    // The directory must not outlive this process if it is interrupted.
    drop(home);
    if arguments.serve {
        registry.wait();
    }
    Ok(Outcome::Shown(ExitCode::Done))
}

/// Publishes the extension over HTTP, as its author would.
fn publish(context: &Context, registry: &MemoryRegistry) -> Result<OciReference, Failure> {
    let reference = format!("{}/my-org/greeting-extension:0.1.0", registry.host());
    let reference: OciReference = reference
        .parse()
        .map_err(|error: core_types::ReferenceError| Failure::new(ErrorKind::Failure, &error))?;
    let annotations = BTreeMap::from([
        ("org.opencontainers.image.version".to_owned(), "0.1.0".to_owned()),
        ("org.opencontainers.image.description".to_owned(), "Greets people".to_owned()),
    ]);
    let description =
        Description { title: "greeting.wasm".to_owned(), annotations, ..Description::default() };
    let publication =
        Publication::cncf(GREETING.to_vec(), &description).map_err(std::io::Error::from)?;
    let client = Registry::new(Settings::default());
    context.wait_for(client.publish(&reference, publication, false))??;
    Ok(reference)
}

fn next_steps(reference: &OciReference, serve: bool) -> String {
    let install = "Next, with a registry of yours:\n  sesame extension install ghcr.io/my-org/greeting-extension:0.1.0";
    if !serve {
        return format!("\n{install}\nor keep this one running:\n  sesame demo --serve");
    }
    format!(
        "\nThe registry keeps running. In another terminal:\n  sesame extension install {reference}\n  oras pull --plain-http {reference}\nEnd it with Ctrl-C."
    )
}

/// Prints a line as data: the story is the output of this command.
fn say(context: &Context, text: &str) -> Result<(), Failure> {
    if !context.global.json {
        context.terminal.data(format!("{text}\n").as_bytes())?;
    }
    Ok(())
}
