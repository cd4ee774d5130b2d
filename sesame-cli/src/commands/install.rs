//! `sesame extension install`

use core_types::{
    Capability, Digest, Document, ErrorKind, ExtensionEntry, ExtensionName, Grant, OciReference,
    Policy, VersionReq, is_same_version, newest_tag, newest_tag_within,
};
use extension_depot::registry::Resolved;
use extension_depot::{
    Basis, Binary, Depot, DepotError, Evidence, InstallOrder, Installed, MAX_BLOB, Reason,
    SignerProof, Source, Staged, WebAddress, read_blob,
};
use extension_host::{
    Code, CodeKind, Host, HostError, Permissions, Purpose, check_binary, requested_by_author,
};

use super::change::{check_directories, grant_for_a_while, warn_of_missing};
use super::trust;
use crate::arguments::InstallArguments;
use crate::consent::{Requests, Standing, ask_person, split_denied};
use crate::context::Context;
use crate::failure::Failure;
use crate::lookalike;
use crate::outcome::{Direction, Installation, Outcome, Replaced};
use crate::progress::{DownloadBar, waiting};
use crate::replacement::{self, NameUse, local_reference};
use crate::tag_listing;

/// Fetches, verifies, compiles and link-checks an extension, asks what it may do, and only then
/// installs it.
pub fn run(context: &Context, arguments: &InstallArguments) -> Result<Outcome, Failure> {
    check_form(&arguments.source, arguments.sha256.as_ref(), "install")?;
    replacement::check_source(&arguments.source, arguments.replace.as_ref())?;
    let name = match arguments.replace.as_ref().or(arguments.name.as_ref()) {
        Some(name) => name.clone(),
        None => arguments.source.default_name().map_err(|error| Failure::no_name(&error))?,
    };
    let depot = context.depot()?;
    if let Some((registry, username)) =
        registry_of(&arguments.source).zip(arguments.username.as_ref())
    {
        context.log_in_once(registry, username)?;
    }
    let terms = Terms {
        source: arguments.source.to_string(),
        grant: &arguments.grant,
        grant_requested: arguments.grant_requested,
        entry: None,
        evidence: None,
        claimed: None,
        signer: arguments.signer.given().map(trust::proof).transpose()?,
        allow_downgrade: arguments.allow_downgrade,
        names_bytes: matches!(&arguments.source, Source::Registry(reference) if reference.provenance().is_some()),
        replaces: arguments.replace.is_some(),
    };
    let order = StageOrder {
        source: &arguments.source,
        wanted: arguments.version.as_ref(),
        sha256: arguments.sha256.as_ref(),
        allow_plain_http: arguments.allow_plain_http,
        name_use: if arguments.replace.is_some() { NameUse::Replace } else { NameUse::Own },
    };
    let installation = match stage(context, &depot, &name, &order)? {
        Arrival::Already(installed) => already(context, &depot, &installed, &arguments.grant)?,
        Arrival::Staged(staged) => install(context, &depot, &staged, &name, &terms)?,
    };
    Ok(Outcome::Installed(vec![installation]))
}

fn registry_of(source: &Source) -> Option<&str> {
    match source {
        Source::Registry(reference) => Some(reference.registry()),
        Source::Newest(repository) => Some(repository.registry()),
        Source::File(_) | Source::Web(_) | Source::Layout { .. } => None,
    }
}

/// Makes sure that a source of this form can be used at all, before anything is looked for.
/// `command` is what was given it.
pub fn check_form(source: &Source, sha256: Option<&Digest>, command: &str) -> Result<(), Failure> {
    match source {
        Source::Web(address) => match (address.as_reference(), sha256) {
            (Some(reference), _) => {
                Err(Failure::reference_with_scheme(address, &reference, command))
            }
            (None, None) => Err(Failure::download_without_digest(address, command)),
            (None, Some(_)) => Ok(()),
        },
        Source::File(_) => Ok(()),
        Source::Registry(reference) if reference.is_local() => {
            Err(Failure::local_reference(source, command))
        }
        Source::Newest(repository) if repository.is_local() => {
            Err(Failure::local_reference(source, command))
        }
        Source::Registry(_) | Source::Newest(_) | Source::Layout { .. } if sha256.is_some() => {
            Err(Failure::digest_of_no_file(&source.to_string()))
        }
        Source::Registry(_) | Source::Newest(_) | Source::Layout { .. } => Ok(()),
    }
}

/// On which terms something that arrived is installed.
pub struct Terms<'a> {
    /// What was asked for, in the words of whoever asked.
    pub source: String,
    /// What it is given without a question.
    pub grant: &'a [Grant],
    /// Whether it is given all that it asks for.
    pub grant_requested: bool,
    /// What a list says of it.
    pub entry: Option<&'a ExtensionEntry>,
    /// What is known of who signed it, where that came with it and is not asked of a registry.
    pub evidence: Option<&'a Evidence>,
    /// Where a bundle says that it came from, while nothing confirms that.
    pub claimed: Option<&'a OciReference>,
    /// Whoever has to have signed it.
    pub signer: Option<SignerProof>,
    /// Whether it can be older than what is installed.
    pub allow_downgrade: bool,
    /// Whether the user named the bytes by digest, so that a tag may have moved.
    pub names_bytes: bool,
    /// Whether it takes the place of another, with all that was given to that.
    pub replaces: bool,
}

/// Finds out which version a repository stands for. Every other source stays what it is.
fn settle(
    context: &Context,
    source: &Source,
    wanted: Option<&VersionReq>,
) -> Result<Source, Failure> {
    let Source::Newest(repository) = source else {
        return if wanted.is_some() {
            Err(Failure::version_of_no_repository(source))
        } else {
            Ok(source.clone())
        };
    };
    let any = repository.at("any").map_err(|error| Failure::new(ErrorKind::Usage, &error))?;
    context.check_source(&any)?;
    let registry = context.registry()?;
    let tags = context.wait_for(waiting(
        context,
        format!("resolving {repository}…"),
        registry.tags(repository),
    ))??;
    tag_listing::remember(context.places()?, repository, &tags);
    let all = tags.iter().map(String::as_str);
    let newest = match wanted {
        Some(wanted) => newest_tag_within(all, wanted),
        None => newest_tag(all, false),
    };
    let newest = newest.ok_or_else(|| Failure::no_version(repository, wanted, &tags))?;
    repository
        .at(newest)
        .map(Source::Registry)
        .map_err(|error| Failure::new(ErrorKind::Network, &error))
}

/// What arrived.
pub enum Arrival {
    /// Nothing: exactly this is installed.
    Already(Box<Installed>),
    /// An artifact.
    Staged(Box<Staged>),
}

/// What is to be fetched.
pub struct StageOrder<'a> {
    pub source: &'a Source,
    /// Within which range the version has to be.
    pub wanted: Option<&'a VersionReq>,
    /// The digest that a file has to have.
    pub sha256: Option<&'a Digest>,
    /// Whether it can come without TLS where others came with it.
    pub allow_plain_http: bool,
    /// What its name is for.
    pub name_use: NameUse,
}

/// Fetches what a source leads to, unless exactly that is installed under the name.
pub fn stage(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    order: &StageOrder<'_>,
) -> Result<Arrival, Failure> {
    let mut staged = match &settle(context, order.source, order.wanted)? {
        Source::Registry(reference) => {
            trust::check_transport(context, depot, name, reference, order.allow_plain_http)?;
            return stage_from_registry(context, depot, reference, name);
        }
        Source::Newest(repository) => {
            return Err(Failure::no_version(repository, order.wanted, &[]));
        }
        Source::File(path) => depot.stage_expected_file(path, order.sha256, name)?,
        Source::Web(address) => {
            let as_file = OciReference::local_file(name, "0.0.0")
                .map_err(|error| Failure::new(ErrorKind::Usage, &error))?;
            context.check_source(&as_file)?;
            download(context, depot, name, address, order.sha256)?
        }
        Source::Layout { path, tag } => depot.stage_layout(path, tag.as_deref(), name)?,
    };
    context.check_source(&staged.reference)?;
    staged.reference = local_reference(depot, name, &staged.reference, order.name_use)?;
    replacement::check_name(depot, name, &staged.reference, (order.source, order.sha256))?;
    Ok(match installed_as(depot, name, &staged.reference) {
        Some(installed) => Arrival::Already(Box::new(installed)),
        None => Arrival::Staged(Box::new(staged)),
    })
}

/// Fetches what a source leads to, to look at it: whatever is installed under its name, and whether
/// it may be installed at all, is another question.
pub fn fetch_from(
    context: &Context,
    depot: &Depot,
    source: &Source,
    sha256: Option<&Digest>,
    name: &ExtensionName,
) -> Result<Staged, Failure> {
    match &settle(context, source, None)? {
        Source::Registry(reference) => fetch(context, depot, reference),
        Source::Newest(repository) => Err(Failure::no_version(repository, None, &[])),
        Source::File(path) => Ok(depot.stage_expected_file(path, sha256, name)?),
        Source::Web(address) => download(context, depot, name, address, sha256),
        Source::Layout { path, tag } => Ok(depot.stage_layout(path, tag.as_deref(), name)?),
    }
}

/// Downloads a file whose digest is known. From then on it is as any other file.
fn download(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    address: &WebAddress,
    sha256: Option<&Digest>,
) -> Result<Staged, Failure> {
    let digest = sha256.ok_or_else(|| Failure::download_without_digest(address, "install"))?;
    context.config()?.check_address(address)?;
    let registry = context.registry()?;
    let bytes = context.wait_for(async {
        let bar = DownloadBar::new(context);
        let report = |progress| bar.update(progress);
        let downloading = registry.download(address, digest, &report);
        bar.waiting(context, format!("asking {}…", address.host()), downloading).await
    })?;
    Ok(depot.stage_bytes(bytes?, name)?)
}

fn stage_from_registry(
    context: &Context,
    depot: &Depot,
    reference: &OciReference,
    name: &ExtensionName,
) -> Result<Arrival, Failure> {
    check(context, depot, name, reference)?;
    if let Some(installed) =
        reference.provenance().and_then(|_| installed_as(depot, name, reference))
    {
        return Ok(Arrival::Already(Box::new(installed)));
    }
    let registry = context.registry()?;
    context.wait_for(async {
        let resolving = registry.resolve(reference);
        let resolved: Resolved =
            waiting(context, format!("resolving {reference}…"), resolving).await?;
        if let Some(installed) = installed_as(depot, name, &resolved.reference) {
            return Ok(Arrival::Already(Box::new(installed)));
        }
        let pinned = depot.manifest(name)?.and_then(|loaded| loaded.pinned_reference());
        check_tag(name, pinned, &resolved.reference, reference.provenance().is_some())?;
        let bar = DownloadBar::new(context);
        let staged = registry.stage(depot, &resolved, &|progress| bar.update(progress)).await?;
        Ok(Arrival::Staged(Box::new(staged)))
    })?
}

/// Whether the extension can come from there under this name, found out before anything is fetched.
fn check(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
) -> Result<(), Failure> {
    context.check_source(reference)?;
    depot.check_name(name, reference).map_err(|error| Failure::of_extension(name, &error))
}

/// Makes sure that a tag still leads to the bytes that are installed under it, unless the user
/// names the bytes.
fn check_tag(
    name: &ExtensionName,
    pinned: Option<OciReference>,
    resolved: &OciReference,
    names_bytes: bool,
) -> Result<(), Failure> {
    let has_moved = |pinned: &OciReference| {
        is_same_version(pinned.revision(), resolved.revision())
            && pinned.provenance() != resolved.provenance()
    };
    match pinned.filter(has_moved) {
        Some(pinned) if !names_bytes => Err(Failure::tag_moved(name, &pinned, resolved)),
        _ => Ok(()),
    }
}

/// The extension of this name, if it is whole and pinned to the same.
fn installed_as(
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
) -> Option<Installed> {
    depot.whole(name).filter(|installed| installed.reference == *reference)
}

/// Nothing is written, unless the user grants something by the way.
fn already(
    context: &Context,
    depot: &Depot,
    installed: &Installed,
    grant: &[Grant],
) -> Result<Installation, Failure> {
    let Installed { name, loaded, .. } = installed;
    context.warn_unknown_keys(loaded);
    let granted = loaded.manifest.granted();
    let missing: Vec<_> = grant.iter().filter(|grant| !granted.covers(grant)).cloned().collect();
    check_directories(context, name, &missing)?;
    if !missing.is_empty() {
        depot
            .grant_installed(installed, &missing)
            .map_err(|error| Failure::of_extension(name, &error))?;
    }
    let (granted, denied) = split_denied(missing, &context.config()?.policies);
    Ok(Installation { granted, denied, ..Installation::already(installed) })
}

/// How often it is decided anew because another process changed what the decision was made upon.
pub const MAX_DECISIONS: usize = 5;

/// Compiles, link-checks, asks and installs what arrived. What changes in the meantime is decided
/// upon again.
pub fn install(
    context: &Context,
    depot: &Depot,
    staged: &Staged,
    name: &ExtensionName,
    terms: &Terms<'_>,
) -> Result<Installation, Failure> {
    let of_extension = |error| Failure::of_extension(name, &error);
    let basis = || depot.basis(name, &staged.reference).map_err(of_extension);
    let mut seen = basis()?;
    match seen.loaded() {
        Some(loaded) => context.warn_unknown_keys(loaded),
        None => lookalike::warnings(depot, name, &staged.reference)
            .iter()
            .for_each(|warning| context.warn(warning)),
    }
    check_basis(&seen, staged, terms)?;
    let evidence = match terms.evidence {
        Some(evidence) => evidence.clone(),
        None => trust::look_up(context, depot, &staged.reference, terms.signer.as_ref())?,
    };
    let judge = |seen: &Basis| {
        let signer = terms.signer.as_ref();
        trust::judge(context, depot, name, (&staged.reference, seen.first_use()), &evidence, signer)
    };
    judge(&seen)?;
    let Findings { mut requests, nothing_to_call, .. } = examine(context, &staged.binary, name)?;
    if let Some(entry) = terms.entry {
        requests.add(entry.capabilities.iter().cloned().collect());
    }
    check_directories(context, name, terms.grant)?;
    let policies = &context.config()?.policies;
    for _ in 0..MAX_DECISIONS {
        match install_as_decided(
            context,
            depot,
            staged,
            &seen,
            terms,
            (&requests, &evidence, policies),
        ) {
            // Another process changed something while we compiled or asked: decide again on what is
            // there now.
            Err(NotInstalled::Changed) => {
                seen = basis()?;
                check_basis(&seen, staged, terms)?;
                judge(&seen)?;
            }
            Err(NotInstalled::Failed(failure)) => return Err(*failure),
            Ok(installation) => {
                finish(context, depot, staged, name, terms, &installation)?;
                return Ok(Installation { nothing_to_call, ..installation });
            }
        }
    }
    Err(Failure::of_extension(name, &DepotError::Changed { name: name.clone() }))
}

/// What follows an installation: grants that end with the session, and whom the user trusts from
/// now on.
fn finish(
    context: &Context,
    depot: &Depot,
    staged: &Staged,
    name: &ExtensionName,
    terms: &Terms<'_>,
    installation: &Installation,
) -> Result<(), Failure> {
    let asked = installation.granted.iter().filter(|grant| !terms.grant.contains(grant)).cloned();
    warn_of_missing(context, &asked.collect::<Vec<_>>())?;
    if !installation.for_session.is_empty() {
        grant_for_a_while(context, name, Some(&staged.reference), &installation.for_session, None)?;
    }
    terms.signer.as_ref().map_or(Ok(()), |signer| trust::remember(depot, &staged.reference, signer))
}

/// What does not depend on the bytes: whose name it is, whether the tag has moved, and which way
/// the version goes.
fn check_basis(seen: &Basis, staged: &Staged, terms: &Terms<'_>) -> Result<(), Failure> {
    let (name, reference) = (seen.name(), &staged.reference);
    seen.check_name(reference).map_err(|error| Failure::of_extension(name, &error))?;
    if !reference.is_local() {
        check_tag(name, seen.pinned(), reference, terms.names_bytes)?;
    }
    check_direction(name, seen.pinned().as_ref(), reference, terms.allow_downgrade)
}

/// Why something that was decided was not carried out.
enum NotInstalled {
    /// What it was decided upon has changed.
    Changed,
    Failed(Box<Failure>),
}

impl From<Failure> for NotInstalled {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// An older version can have faults that the newer one has not, so nobody gets it without saying
/// so.
pub fn check_direction(
    name: &ExtensionName,
    installed: Option<&OciReference>,
    new: &OciReference,
    allow_downgrade: bool,
) -> Result<(), Failure> {
    match installed.map(|installed| Replaced::new(installed.clone(), new)) {
        Some(Replaced { reference, direction: Direction::Downgrade }) if !allow_downgrade => {
            Err(Failure::downgrade(name, &reference, new))
        }
        _ => Ok(()),
    }
}

fn install_as_decided(
    context: &Context,
    depot: &Depot,
    staged: &Staged,
    seen: &Basis,
    terms: &Terms<'_>,
    (requests, evidence, policies): (&Requests, &Evidence, &[(Policy, Document)]),
) -> Result<Installation, NotInstalled> {
    let (name, before) = (seen.name(), seen.capabilities());
    let replaced = seen.pinned().filter(|replaced| *replaced != staged.reference);
    if terms.replaces {
        replacement::confirm(context, seen, &staged.reference)?;
    }
    let standing = match before {
        Some(before) if terms.replaces => Standing::Updating(before),
        _ => Standing::of(before),
    };
    let decision = ask_person(
        context,
        policies,
        &seen.owner(),
        standing,
        requests,
        terms.grant,
        terms.grant_requested,
    );
    let order = InstallOrder {
        basis: seen,
        source: &terms.source,
        capabilities: decision.capabilities.as_ref(),
        reason: Reason::Installed,
        evidence: Some(evidence),
        seed: terms.entry.map(|entry| (&entry.limits, &entry.config)),
        claimed: terms.claimed,
    };
    match depot.install(staged, &order) {
        Err(DepotError::Changed { .. }) => return Err(NotInstalled::Changed),
        done => done.map_err(|error| Failure::of_extension(name, &error))?,
    }
    Ok(Installation {
        name: name.clone(),
        version: staged.artifact.version(&staged.reference),
        reference: staged.reference.clone(),
        manifest: depot.places().manifest(name),
        already: false,
        signature: Some(evidence.signature.to_string()),
        replaced: replaced.map(|replaced| Replaced::new(replaced, &staged.reference)),
        granted: decision.granted,
        for_session: decision.for_session,
        denied: decision.denied,
        nothing_to_call: None,
    })
}

/// What there is to say about a binary before it is installed.
pub struct Findings {
    pub host: Host,
    pub code: Code,
    /// What it asks for.
    pub requests: Requests,
    /// Why it could never start here.
    pub refusal: Option<Failure>,
    /// What it is, if it has nothing to call.
    pub nothing_to_call: Option<String>,
}

/// Compiles the code, links it, and finds out what it asks for. `install` and `inspect` both say
/// what this finds.
pub fn look_at(
    context: &Context,
    binary: &Binary,
    name: &ExtensionName,
) -> Result<Findings, Failure> {
    let of_host = |error: HostError| Failure::of_host(name, &error);
    let bytes = binary_of(binary, name)?;
    check_binary(&bytes).map_err(of_host)?;
    let host = Host::new().map_err(of_host)?;
    let code = context.manager()?.code(&host, binary)?;
    let refusal = check_link(&host, &code).map_err(of_host).err();
    let requests = requests_of(&host, &code, &bytes)?;
    let nothing_to_call = nothing_to_call(name, host.purpose(&code));
    Ok(Findings { host, code, requests, refusal, nothing_to_call })
}

/// The same, where code that could never start here is an error.
pub fn examine(
    context: &Context,
    binary: &Binary,
    name: &ExtensionName,
) -> Result<Findings, Failure> {
    let findings = look_at(context, binary, name)?;
    match findings.refusal {
        Some(refusal) => Err(refusal),
        None => Ok(findings),
    }
}

/// What an extension is that has nothing to call.
fn nothing_to_call(name: &ExtensionName, purpose: Purpose) -> Option<String> {
    let what = match purpose {
        Purpose::Functions | Purpose::Workloads => return None,
        Purpose::Program => format!("it is a program; run it with: sesame extension run {name}"),
        Purpose::HttpHandler => {
            "it is an HTTP handler; serve it with a web server such as `wasmtime serve`".to_owned()
        }
        Purpose::Library => {
            "it is a library for other components; compose it with one, such as with `wac plug`"
                .to_owned()
        }
        Purpose::Nothing => "it exports no functions".to_owned(),
    };
    Some(format!("`{name}` has nothing to call: {what}"))
}

/// The bytes of a binary, which are what its digest says.
pub fn binary_of(binary: &Binary, name: &ExtensionName) -> Result<Vec<u8>, Failure> {
    read_blob(&binary.path, &binary.digest, MAX_BLOB)
        .map_err(|error| Failure::damaged_binary(name, &error))
}

/// What the code and its author ask for.
pub fn requests_of(host: &Host, code: &Code, binary: &[u8]) -> Result<Requests, Failure> {
    let mut imported: Vec<_> =
        host.imports(code).iter().filter_map(|import| import.capability).collect();
    if code.kind() == CodeKind::Module {
        // A module gets its configuration as environment and imports nothing for it.
        imported.push(Capability::ConfigRead);
    }
    let by_author = requested_by_author(binary)?.into_iter().map(|request| request.grant);
    Ok(Requests::new(imported, by_author.collect()))
}

/// Links the code as if everything that it imports were granted.
fn check_link(host: &Host, code: &Code) -> Result<(), HostError> {
    host.extension_to_learn_from(code, Permissions::default()).map(drop)
}

/// Fetches and installs once more exactly what an extension is pinned to.
pub fn reinstall(
    context: &Context,
    depot: &Depot,
    name: &ExtensionName,
    reference: &OciReference,
) -> Result<(), Failure> {
    let staged = fetch(context, depot, reference)?;
    let of_extension = |error| Failure::of_extension(name, &error);
    depot
        .repair(&[(name, &staged)])
        .map_err(of_extension)?
        .into_iter()
        .try_for_each(|one| one.map_err(of_extension))
}

/// Fetches what a reference leads to. Nothing is installed yet.
pub fn fetch(
    context: &Context,
    depot: &Depot,
    reference: &OciReference,
) -> Result<Staged, Failure> {
    context.check_source(reference)?;
    let registry = context.registry()?;
    let staged = context.wait_for(async {
        let resolving = registry.resolve(reference);
        let resolved = waiting(context, format!("resolving {reference}…"), resolving).await?;
        let bar = DownloadBar::new(context);
        registry.stage(depot, &resolved, &|progress| bar.update(progress)).await
    })?;
    Ok(staged?)
}
