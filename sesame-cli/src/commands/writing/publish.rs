//! `sesame extension publish`, `sesame wasi publish` and `sesame wasi download`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use core_types::{
    ErrorKind, ExtensionName, OciReference, is_same_version, shell_word, version_of_tag,
};
use extension_depot::{
    Description, Docs, DocsError, MAX_BLOB, OutputDirectory, Publication, read_blob,
};
use extension_host::{
    CodeKind, WitError, author_manifest, encode_wit, has_author_manifest, unknown_keys_of_author,
    with_author_manifest,
};
use extension_manager::Nobody;

use crate::arguments::{PublishArguments, WasiPublishArguments};
use crate::authoring::{build, read_binary};
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::{Outcome, Published};
use crate::project::{Project, version_in};
use crate::signing::secret_key;
use crate::terminal::waiting;

/// The mode of downloaded files, before the user's mask.
const FILE_MODE: u32 = 0o666;

/// Publishes a component or module in the CNCF's format, with its author's requests.
pub fn run(context: &Context, arguments: &PublishArguments) -> Result<Outcome, Failure> {
    let reference = &arguments.reference;
    if let Some(directory) = arguments.binary.as_deref().filter(|path| path.is_dir()) {
        return interfaces(context, arguments, directory);
    }
    let project = Project::find(Path::new("."))?;
    let (path, binary) = binary(context, arguments, project.as_ref())?;
    let name = name_of(project.as_ref(), reference)?;
    check_keys(context, arguments, &binary)?;
    let version = author_manifest(&binary).ok().flatten().and_then(version_in);
    let version = checked_version(version.as_deref(), arguments)?;
    let examined = context.manager()?.examine_built(&name, binary)?;
    let publication = Publication::cncf(
        examined.binary,
        &Description {
            title: format!("{name}.wasm"),
            annotations: annotations(&name, &version, project.as_ref()),
            created: context.source_date().unwrap_or_default(),
            imports: examined.imports,
            exports: examined.exports,
        },
    );
    context.verbose(&format!("publishing `{}`", path.display()));
    send(context, arguments, publication.map_err(std::io::Error::from)?)
}

/// Warns of keys in the author's manifest that do nothing, or refuses them.
fn check_keys(
    context: &Context,
    arguments: &PublishArguments,
    binary: &[u8],
) -> Result<(), Failure> {
    let text = author_manifest(binary).ok().flatten().unwrap_or_default();
    let unknown = unknown_keys_of_author(text);
    match unknown.first().filter(|_| arguments.strict) {
        Some(key) => {
            let problem = format!("the author's manifest has a key that does nothing: {key}");
            Err(Failure::message(ErrorKind::Usage, problem)
                .with_hint("remove it from `extension.toml`, or publish without `--strict`"))
        }
        None => {
            context.warn_of_keys(unknown.iter().map(|key| ("the author's manifest", key)));
            Ok(())
        }
    }
}

/// Returns the version to publish: the author's, which the tag has to match, or that of the tag.
fn checked_version(stated: Option<&str>, arguments: &PublishArguments) -> Result<String, Failure> {
    let tag = arguments.reference.revision();
    match stated {
        Some(version) if is_same_version(version, tag) => Ok(version.to_owned()),
        Some(version) if !arguments.version_from_tag => {
            Err(Failure::other_version(version, &arguments.reference))
        }
        _ => Ok(version_of_tag(tag).map_or_else(|| tag.to_owned(), |version| version.to_string())),
    }
}

/// Publishes with documentation and signature, or prints the plan.
fn send(
    context: &Context,
    arguments: &PublishArguments,
    publication: Publication,
) -> Result<Outcome, Failure> {
    let reference = &arguments.reference;
    // Everything that can fail here does so before anything is public.
    let docs = arguments.docs.as_deref().map(packed).transpose()?;
    let key = arguments.sign_key.as_deref().map(|key| secret_key(context, key)).transpose()?;
    if arguments.dry_run {
        return Ok(planned(reference, &publication));
    }
    let publishing = context.registry()?.publish(reference, publication, arguments.overwrite);
    let published =
        context.wait_for(waiting(context, format!("publishing {reference}…"), publishing))??;
    if let Some(archive) = docs {
        let publishing = context.registry()?.publish_docs(&published.reference, archive);
        context.wait_for(waiting(
            context,
            format!("publishing the pages of {reference}…"),
            publishing,
        ))??;
    }
    if let Some(key) = key {
        let form = extension_depot::registry::SignatureForm::Bundle;
        let signing = context.registry()?.sign(&published.reference, &key, form);
        context.wait_for(waiting(context, format!("signing {reference}…"), signing))??;
    }
    Ok(Outcome::Published(Published::Now(published)))
}

/// Publishes a package of interfaces, as `wkg` fetches it.
fn interfaces(
    context: &Context,
    arguments: &PublishArguments,
    directory: &Path,
) -> Result<Outcome, Failure> {
    let wrong = |error: WitError| {
        Failure::message(
            ErrorKind::Usage,
            format!("`{}` is not a package of interfaces", directory.display()),
        )
        .caused_by(error)
    };
    let package = encode_wit(directory).map_err(wrong)?;
    let version = checked_version(package.version.as_deref(), arguments)?;
    let stated = [("title", package.name.as_str()), ("version", version.as_str())];
    let publication = Publication::cncf(
        package.binary,
        &Description {
            title: format!("{}.wasm", package.name.replace(':', "-")),
            annotations: stated.map(|(key, value)| annotation(key, value)).into(),
            created: context.source_date().unwrap_or_default(),
            imports: Vec::new(),
            exports: package.interfaces,
        },
    );
    send(context, arguments, publication.map_err(std::io::Error::from)?)
}

/// Returns the binary to publish: the named file, or the project's. One that does not match its
/// sources needs an option.
fn binary(
    context: &Context,
    arguments: &PublishArguments,
    project: Option<&Project>,
) -> Result<(PathBuf, Vec<u8>), Failure> {
    let path = match (&arguments.binary, project) {
        (Some(path), _) => path.clone(),
        (None, Some(project)) if arguments.no_build => project.built(),
        (None, Some(project)) => build::built(context, project)
            .map_err(|failure| failure.of_build_to_publish(project))?,
        (None, None) => return Err(Failure::nothing_to_publish()),
    };
    let binary = read_binary(&path)?;
    let is_wasm = CodeKind::of(&binary).is_ok();
    let is_own = !is_wasm || arguments.binary.is_some() && has_author_manifest(&binary)?;
    let asked =
        project.filter(|_| !is_own).map(|project| with_author_manifest(&binary, project.text()));
    Ok((path, asked.transpose()?.unwrap_or(binary)))
}

/// Publishes a module in the format of Suffiks.
pub fn wasi(context: &Context, arguments: &WasiPublishArguments) -> Result<Outcome, Failure> {
    let reference = with_default_tag(&arguments.tag)?;
    let binary = read_binary(&arguments.module)?;
    let name = name_of(None, &reference)?;
    if CodeKind::of(&binary).is_ok_and(|kind| kind == CodeKind::Component) {
        return Err(Failure::message(
            ErrorKind::Usage,
            format!("`{}` is a component", arguments.module.display()),
        )
        .with_hint(format!(
            "sesame extension publish {reference} {}",
            shell_word(&arguments.module.display().to_string())
        )));
    }
    let examined = context.manager()?.examine_built(&name, binary)?;
    let docs = arguments.docs.as_deref().map(packed).transpose()?;
    let publication = Publication::suffiks(examined.binary, &format!("{name}.wasm"), docs);
    let publication = publication.map_err(std::io::Error::from)?;
    if arguments.dry_run {
        return Ok(planned(&reference, &publication));
    }
    let publishing = context.registry()?.publish(&reference, publication, arguments.overwrite);
    let published =
        context.wait_for(waiting(context, format!("publishing {reference}…"), publishing))??;
    Ok(Outcome::Published(Published::Now(published)))
}

/// Downloads a module and its documentation into new files.
pub fn download(
    context: &Context,
    reference: &OciReference,
    directory: &Path,
) -> Result<Outcome, Failure> {
    let name = name_of(None, reference)?;
    let staged = context.installer(&Nobody)?.fetch(&name, reference)?;
    let damaged = |error| Failure::damaged_binary(&name, error);
    let binary =
        read_blob(&staged.binary().path, &staged.binary().digest, MAX_BLOB).map_err(damaged)?;
    let docs = staged.docs_archive().map_err(damaged)?;
    let to = OutputDirectory::create(directory)
        .map_err(|error| Failure::unwritable(directory, error))?;
    let write_new = |name: &str, bytes: &[u8]| {
        let written = to.write_new(name.as_ref(), FILE_MODE, bytes);
        written.map_err(|error| Failure::unwritable(&directory.join(name), error))
    };
    let mut written = vec![write_new(&format!("{name}.wasm"), &binary)?];
    if let Some(docs) = docs {
        written.push(write_new("docs.tar.gz", &docs)?);
    }
    Ok(Outcome::Written(written))
}

/// Returns the archive of a directory of documentation.
fn packed(directory: &Path) -> Result<Vec<u8>, DocsError> {
    Docs::read(directory)?.pack()
}

fn planned(reference: &OciReference, publication: &Publication) -> Outcome {
    let manifest = String::from_utf8_lossy(publication.manifest()).into_owned();
    Outcome::Published(Published::Planned {
        reference: reference.pinned_to(publication.digest()),
        manifest,
    })
}

/// Parses a reference without its tag, as `extgen` takes it.
fn with_default_tag(text: &str) -> Result<OciReference, Failure> {
    let has_tag = text.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let text = if has_tag { text.to_owned() } else { format!("{text}:latest") };
    text.parse().map_err(|error: core_types::ReferenceError| Failure::new(ErrorKind::Usage, error))
}

/// Returns the name: the author's, or the last part of the target, if that is a valid name.
fn name_of(project: Option<&Project>, reference: &OciReference) -> Result<ExtensionName, Failure> {
    match project {
        Some(project) => Ok(project.name().clone()),
        None => {
            let last = reference
                .repository()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .replace(['_', '.'], "-");
            last.parse().map_err(|error| Failure::new(ErrorKind::Usage, error))
        }
    }
}

fn annotations(
    name: &ExtensionName,
    version: &str,
    project: Option<&Project>,
) -> BTreeMap<String, String> {
    let description = project.and_then(Project::description);
    let stated = [Some(annotation("title", name.as_str())), Some(annotation("version", version))];
    stated
        .into_iter()
        .flatten()
        .chain(description.map(|text| annotation("description", text)))
        .collect()
}

fn annotation(key: &str, value: &str) -> (String, String) {
    (format!("org.opencontainers.image.{key}"), value.to_owned())
}
