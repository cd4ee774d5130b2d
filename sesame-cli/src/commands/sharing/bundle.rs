//! `sesame extension export` and `import`

use std::path::Path;

use extension_depot::{Bundle, Bundled};
use extension_manager::{ExportOptions, ImportOptions, InstallOptions, NameUse};

use crate::arguments::{ExportArguments, ImportArguments};
use crate::consent::TerminalConsent;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// Puts extensions into one file, with what their registries have that refers to them.
pub fn export(context: &Context, arguments: &ExportArguments) -> Result<Outcome, Failure> {
    let consent = TerminalConsent::new(context);
    let installer = context.installer(&consent)?;
    let to = &arguments.output;
    let names = if arguments.all { installer.installed_names()? } else { arguments.names.clone() };
    let (replace, with_storage) = (arguments.force, arguments.with_storage);
    installer.export(&names, to, ExportOptions { replace, with_storage })?;
    Ok(Outcome::Written(vec![to.clone()]))
}

/// Installs the extensions of a bundle, each independently of the others.
pub fn import(context: &Context, arguments: &ImportArguments) -> Result<Outcome, Failure> {
    let consent = TerminalConsent::new(context);
    let installer = context.installer(&consent)?;
    let bundle = Bundle::open(&arguments.bundle)?;
    let name_use = if arguments.replace { NameUse::Replace } else { NameUse::Own };
    let install = InstallOptions {
        source: format!("the bundle {}", shown(&arguments.bundle)),
        grant: &arguments.grant,
        grant_requested: arguments.grant_requested,
        names_bytes: true,
        name_use,
        ..InstallOptions::default()
    };
    let options = ImportOptions {
        bundle: &bundle,
        path: &arguments.bundle,
        install: &install,
        with_storage: arguments.with_storage,
    };
    let import = |bundled: &&Bundled| Ok(installer.import(bundled, &options)?.into());
    Outcome::of_each(&options.chosen(&arguments.names)?, import, Outcome::Installed)
}

fn shown(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
