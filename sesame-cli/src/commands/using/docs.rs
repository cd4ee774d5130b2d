//! `sesame extension docs`

use core_types::{ErrorKind, ExtensionName};
use extension_depot::{Docs, Installed, MAX_BLOB, read_blob};

use crate::arguments::DocsArguments;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{DocsPage, Outcome};
use crate::terminal::waiting;

/// Shows a page of an extension's documentation.
pub fn run(context: &Context, arguments: &DocsArguments) -> Result<Outcome, Failure> {
    let DocsArguments { name, page, raw, list } = arguments;
    let depot = context.depot()?;
    let installed = depot.installed(name)?;
    let docs = find(context, &installed)?.ok_or_else(|| no_docs(name))?;
    let pages: Vec<_> = docs.pages().iter().map(|page| page.path.clone()).collect();
    if *list {
        return Ok(Outcome::Pages(pages));
    }
    let page = match page {
        Some(path) => docs.page(path).ok_or_else(|| no_page(name, path, &pages))?,
        None => docs.first().ok_or_else(|| no_docs(name))?,
    };
    Ok(Outcome::Docs(Box::new(DocsPage { page: page.clone(), pages, raw: *raw })))
}

/// Returns the documentation of the artifact, or else that of a referrer in the registry.
fn find(context: &Context, installed: &Installed) -> Result<Option<Docs>, Failure> {
    if let Some(layer) = installed.artifact.docs_layer() {
        let archive = read_blob(&context.places()?.blob(&layer.digest), &layer.digest, MAX_BLOB);
        let archive = archive.map_err(|error| Failure::damaged_binary(&installed.name, error))?;
        return Ok(Some(Docs::unpack(&archive)?));
    }
    if installed.reference.is_local() || context.is_offline() {
        return Ok(None);
    }
    let looking = context.registry()?.docs(&installed.reference);
    Ok(context.wait_for(waiting(
        context,
        format!("resolving the pages of {}…", installed.reference),
        looking,
    ))??)
}

fn no_docs(name: &ExtensionName) -> Failure {
    Failure::message(ErrorKind::NotFound, format!("`{name}` has no documentation"))
        .with_hint(format!("see its functions: sesame extension info {name}"))
}

fn no_page(name: &ExtensionName, path: &str, pages: &[String]) -> Failure {
    let message = format!("the documentation of `{name}` has no page `{}`", path.escape_debug());
    Failure::message(ErrorKind::NotFound, message)
        .with_detail("there are:")
        .with_details(pages.iter().map(|page| format!("  {page}")))
        .with_hint(format!("sesame extension docs {name}"))
}
