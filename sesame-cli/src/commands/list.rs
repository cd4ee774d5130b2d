//! `sesame extension list`

use extension_depot::{Depot, Listed};

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::outcome::{Outcome, Row, State};

/// Lists every manifest; a broken one is a row that says why.
pub fn run(context: &Context) -> Result<Outcome, Failure> {
    let listed = listed(&context.depot()?)?;
    for loaded in listed.iter().filter_map(|listed| listed.manifest.as_ref().ok()) {
        context.warn_unknown_keys(loaded);
    }
    Ok(Outcome::Listed(listed.into_iter().map(row).collect()))
}

/// Every manifest that is there.
pub fn listed(depot: &Depot) -> Result<Vec<Listed>, Failure> {
    depot.list().map_err(|error| Failure::new(ExitCode::Local, &error))
}

fn row(listed: Listed) -> Row {
    match listed.manifest {
        Ok(loaded) => {
            let manifest = loaded.manifest;
            let state = match (listed.is_installed, manifest.extension.enabled) {
                (false, _) => State::NotInstalled,
                (true, false) => State::Disabled,
                (true, true) if listed.quarantine.is_some() => State::Quarantined,
                (true, true) => State::Enabled,
            };
            Row {
                name: listed.name,
                version: manifest.extension.version,
                reference: manifest.extension.oci,
                capabilities: manifest.capabilities.map(|granted| granted.granted()).unwrap_or_default(),
                limits: manifest.limits,
                state,
                problem: listed.quarantine.map(|quarantine| quarantine.to_string()),
            }
        }
        Err(error) => Row {
            name: listed.name,
            version: None,
            reference: None,
            capabilities: Vec::new(),
            limits: Default::default(),
            state: State::Broken,
            problem: Some(crate::render::first_line(&error.to_string())),
        },
    }
}
