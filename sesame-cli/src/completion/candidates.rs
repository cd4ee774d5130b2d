//! Candidates for each kind of word.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::CompletionCandidate;
use core_types::event::{EventName, EventType};
use core_types::{
    Capability, ConfigSchema, ExtensionName, Feature, Grant, LimitName, ScopeKind, Verdict,
    shell_word,
};
use extension_depot::{Depot, Installed};
use extension_host::{CodeKey, ExportedFunction, Host, declared_settings, requested_by_author};
use extension_manager::{known_repositories, known_tags};

use super::line;
use crate::arguments::{Arguments, GlobalArguments};
use crate::context::Context;

fn context() -> Context {
    Context::new(GlobalArguments::default())
}

/// Returns the names of extensions that begin like this.
pub fn names(current: &OsStr) -> Vec<CompletionCandidate> {
    let listed = context().depot().ok().and_then(|depot| depot.list().ok()).unwrap_or_default();
    beginning(current, listed.into_iter().map(|listed| listed.name.to_string()))
}

/// Returns the names of schemas that begin like this.
pub fn schemas(current: &OsStr) -> Vec<CompletionCandidate> {
    beginning(current, crate::render::schema_names().map(str::to_owned))
}

/// Returns the commands that begin like this, below those that `help` was asked about.
pub fn commands(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut command = Arguments::command();
    command.build();
    let mut above = &command;
    for word in line::words_behind(&["help"]) {
        let Some(below) = above.find_subcommand(&word) else { return Vec::new() };
        above = below;
    }
    let shown = above.get_subcommands().filter(|below| !below.is_hide_set());
    beginning(current, shown.map(|below| below.get_name().to_owned()))
}

/// Returns the functions, beginning like this, of the extension that was named before.
pub fn functions(current: &OsStr) -> Vec<CompletionCandidate> {
    let all = exported().unwrap_or_default();
    let signatures: HashMap<_, _> =
        shortest(&all).into_iter().zip(all.iter().map(ExportedFunction::signature)).collect();
    let described = |candidate: CompletionCandidate| {
        let signature = signatures.get(&*candidate.get_value().to_string_lossy()).cloned();
        candidate.help(signature.map(Into::into))
    };
    let plain = shortest(&all).into_iter().filter(|name| is_plain_word(name));
    beginning(current, plain).into_iter().map(described).collect()
}

/// Tells whether every shell takes the name of a function as it is. The author of a module chooses
/// its names, and a shell would run a part of some that it puts into the line.
fn is_plain_word(name: &str) -> bool {
    // In a word, as behind an interface, it begins no comment.
    let word = name.replace('#', "");
    !name.starts_with('#') && shell_word(&word) == word
}

/// Returns the values, beginning like this, of the next parameter, if its type has few.
pub fn arguments(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = line::words_behind(&["call"]);
    let [_, wanted, given @ ..] = words.as_slice() else { return Vec::new() };
    let all = exported().unwrap_or_default();
    let function = all
        .iter()
        .find(|function| function.name == *wanted || function.qualified_name() == *wanted);
    beginning(
        current,
        function.map(|function| function.choices(given.len())).unwrap_or_default().into_iter(),
    )
}

/// Returns the functions of the extension on the line, from the cache of compiled code.
fn exported() -> Option<Vec<ExportedFunction>> {
    let (context, installed) = named(&["call", "run"])?;
    let host = Host::new().ok()?;
    let code =
        host.load(&context.code_cache().ok()?, &CodeKey::new(&installed.binary().digest)).ok()?;
    let mut all = host.exports(&code);
    all.retain(ExportedFunction::is_callable);
    Some(all)
}

/// Returns the names by which functions can be called: with the interface where several share a
/// name. They are counted first, since a guest can export a hundred thousand.
fn shortest(all: &[ExportedFunction]) -> Vec<String> {
    let mut count = HashMap::new();
    for function in all {
        *count.entry(function.name.as_str()).or_insert(0_usize) += 1;
    }
    let name = |function: &ExportedFunction| match count.get(function.name.as_str()) {
        Some(1) => function.name.clone(),
        _ => function.qualified_name(),
    };
    all.iter().map(name).collect()
}

/// Returns the installed extension that the line names behind one of these commands.
fn named(commands: &[&str]) -> Option<(Context, Installed)> {
    let context = context();
    let name: ExtensionName = line::words_behind(commands).first()?.parse().ok()?;
    let installed = context.depot().ok()?.installed(&name).ok()?;
    Some((context, installed))
}

/// Reads the bytes of an extension for its author's requests. They are only hints here, so they are
/// not verified.
fn binary(installed: &Installed) -> Vec<u8> {
    fs::read(&installed.binary().path).unwrap_or_default()
}

/// Returns the keys in the storage of the extension on the line.
pub fn stored_keys(current: &OsStr) -> Vec<CompletionCandidate> {
    let values = named(&["storage"]).and_then(|(context, installed)| {
        context.depot().ok()?.storage(&installed.reference.identity()).peek().ok()
    });
    let values = values.unwrap_or_default();
    beginning(current, values.keys("").map(ToString::to_string))
}

/// Returns the grants for any extension: capabilities, and directories as their scopes.
pub fn capabilities(current: &OsStr) -> Vec<CompletionCandidate> {
    beginning(current, written_grants(current, &BTreeSet::new()).into_iter())
}

/// Returns the grants for the extension on the line, with the scopes that it requests and those of
/// recent refusals.
pub fn grants(current: &OsStr) -> Vec<CompletionCandidate> {
    let wanted = named(&["grant"])
        .map(|(context, installed)| wanted(&context, &installed))
        .unwrap_or_default();
    beginning(current, written_grants(current, &wanted).into_iter())
}

fn wanted(context: &Context, installed: &Installed) -> BTreeSet<String> {
    let binary = binary(installed);
    let asked = requested_by_author(&binary).unwrap_or_default();
    let mut wanted: BTreeSet<_> = asked.iter().map(|request| request.grant.to_string()).collect();
    let schema = declared_settings(&binary).unwrap_or_default();
    wanted.extend(schema.iter().map(|(key, _)| format!("{}={key}", Capability::ConfigRead)));
    let entries = context.depot().map(|depot| depot.activity().entries()).unwrap_or_default();
    let calls = entries.into_iter().filter_map(|entry| entry.event.into_call());
    let its = calls.filter(|call| call.extension == installed.name.as_str());
    let refused =
        its.flat_map(|call| call.activity.touches).filter(|touch| touch.verdict != Verdict::Allow);
    wanted.extend(refused.filter_map(|touch| touch.grant));
    wanted
}

/// Returns capabilities by name, those with a scope with its `=`; then the scopes.
fn written_grants(current: &OsStr, wanted: &BTreeSet<String>) -> Vec<String> {
    let current = current.to_string_lossy();
    let Some((capability, scope)) = current.split_once('=') else {
        let name = |capability: Capability| match Grant::unscoped(capability) {
            Ok(_) => capability.to_string(),
            Err(_) => format!("{capability}="),
        };
        return Capability::ALL.map(name).to_vec();
    };
    let mut all: Vec<_> = wanted.iter().cloned().collect();
    let kind = capability.parse().map(|capability: Capability| capability.spec().scope);
    match kind {
        Ok(ScopeKind::Directories) => {
            all.extend(directories(scope).into_iter().map(|scope| format!("{capability}={scope}")));
        }
        Ok(ScopeKind::Events) => {
            all.extend(known_events().map(|name| format!("{capability}={name}")));
        }
        Ok(ScopeKind::Features) => {
            all.extend(Feature::ALL.map(|feature| format!("{capability}={feature}")));
        }
        _ => {}
    }
    all
}

/// Returns the names of events that begin like this.
pub fn events(current: &OsStr) -> Vec<CompletionCandidate> {
    beginning(current, known_events().map(|name| name.to_string()))
}

/// Returns the values of the event on the line with their examples, beginning like this.
pub fn event_values(current: &OsStr) -> Vec<CompletionCandidate> {
    let words = line::words_behind(&["trigger"]);
    let event = words.get(1).and_then(|word| word.parse::<EventName>().ok());
    let values = event.map(|event| event.spec().values).unwrap_or_default();
    beginning(current, values.iter().map(|value| format!("{}={}", value.name, value.example)))
}

/// Returns the names of events. Those of people and programs are not known.
fn known_events() -> impl Iterator<Item = EventName> {
    EventType::ALL.into_iter().filter_map(EventName::of)
}

/// Returns `read:` and `write:`, and behind them the directories that begin like this.
fn directories(scope: &str) -> Vec<String> {
    let Some((access, path)) = scope.split_once(':') else {
        return vec!["read:".to_owned(), "write:".to_owned()];
    };
    let below = entries(path, |path| path.is_dir());
    below.into_iter().map(|path| format!("{access}:{path}")).collect()
}

/// Returns the grants of the extension on the line, to revoke.
pub fn revocations(current: &OsStr) -> Vec<CompletionCandidate> {
    let granted = named(&["revoke"])
        .map(|(context, installed)| granted(&context, &installed))
        .unwrap_or_default();
    let capabilities: BTreeSet<_> =
        granted.iter().map(|grant| grant.capability().to_string()).collect();
    let parts = granted.iter().map(ToString::to_string).filter(|part| !capabilities.contains(part));
    beginning(current, capabilities.iter().cloned().chain(parts))
}

/// Returns the permanent and timed grants.
fn granted(context: &Context, installed: &Installed) -> Vec<Grant> {
    let timed =
        |depot: &Depot| depot.timed_grants(&installed.name, &installed.reference.identity()).ok();
    let timed = context.depot().ok().and_then(timed).unwrap_or_default();
    let mut granted: Vec<_> = installed.loaded.manifest.granted().into_iter().collect();
    granted.extend(timed.iter().map(|timed| timed.grant.clone()));
    granted
}

/// Returns the settings of the extension on the line: keys, and behind a `=` the values where there
/// are few.
pub fn settings(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some((_, installed)) = named(&["set"]) else { return Vec::new() };
    let schema = declared_settings(&binary(&installed)).unwrap_or_default();
    let text = current.to_string_lossy();
    match text.split_once('=') {
        None => keys(&installed, &schema, current, "="),
        Some((key, _)) => beginning(
            current,
            values(&schema, key).into_iter().map(|value| format!("{key}={value}")),
        ),
    }
}

/// Returns the keys that are set for the extension on the line.
pub fn set_keys(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some((_, installed)) = named(&["unset"]) else { return Vec::new() };
    keys(&installed, &ConfigSchema::default(), current, "")
}

fn keys(
    installed: &Installed,
    schema: &ConfigSchema,
    current: &OsStr,
    end: &str,
) -> Vec<CompletionCandidate> {
    let manifest = &installed.loaded.manifest;
    let limits = LimitName::ALL
        .into_iter()
        .filter(|name| !end.is_empty() || manifest.limits.get(*name).is_some());
    let limits = limits.filter_map(LimitName::key).map(|key| format!("limits.{key}"));
    let mut keys: BTreeSet<_> = schema.iter().map(|(key, _)| key.to_owned()).collect();
    keys.extend(manifest.config.iter().map(|(key, _)| key.to_owned()));
    let candidates =
        beginning(current, keys.into_iter().chain(limits).map(|key| format!("{key}{end}")));
    let described = |candidate: CompletionCandidate| {
        let key = candidate.get_value().to_string_lossy().trim_end_matches('=').to_owned();
        let description = schema.get(&key).and_then(|declared| declared.description.clone());
        candidate.help(description.map(Into::into))
    };
    candidates.into_iter().map(described).collect()
}

/// Returns the values of a setting, if there are few.
fn values(schema: &ConfigSchema, key: &str) -> Vec<String> {
    let Some(declared) = schema.get(key) else { return Vec::new() };
    match (declared.allowed.as_slice(), declared.kind) {
        ([], core_types::SettingKind::Boolean) => vec!["true".to_owned(), "false".to_owned()],
        ([], _) => declared.default.clone().into_iter().collect(),
        (allowed, _) => allowed.to_vec(),
    }
}

/// Returns sources of extensions: files, repositories of earlier listings, and their tags.
pub fn sources(current: &OsStr) -> Vec<CompletionCandidate> {
    let text = current.to_string_lossy();
    if ["./", "../", "/", "~"].iter().any(|start| text.starts_with(start)) {
        let is_source = |path: &Path| {
            path.is_dir() || path.extension().is_some_and(|end| end == "wasm" || end == "tar")
        };
        return beginning(current, entries(&text, is_source).into_iter());
    }
    let mut candidates = repositories(current);
    if text.is_empty() {
        candidates.push(CompletionCandidate::new("./"));
    }
    candidates
}

/// Returns everything that `inspect` takes: installed extensions and sources.
pub fn inspectable(current: &OsStr) -> Vec<CompletionCandidate> {
    names(current).into_iter().chain(sources(current)).collect()
}

/// Returns repositories of earlier listings, or the last known tags of the typed one.
pub fn repositories(current: &OsStr) -> Vec<CompletionCandidate> {
    let (context, text) = (context(), current.to_string_lossy());
    let Ok(places) = context.places() else { return Vec::new() };
    match text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) {
        Some((repository, _)) if repository.contains('/') => {
            let tags = known_tags(places, repository);
            beginning(current, tags.into_iter().map(|tag| format!("{repository}:{tag}")))
        }
        _ => beginning(current, known_repositories(places).into_iter()),
    }
}

/// Returns the entries of a directory that begin like this path, directories with a slash.
fn entries(typed: &str, is_wanted: impl Fn(&Path) -> bool) -> Vec<String> {
    let (directory, begun) = typed.rsplit_once('/').unwrap_or(("", typed));
    let directory = if typed.contains('/') { format!("{directory}/") } else { String::new() };
    let Some(place) = expanded(&directory) else { return Vec::new() };
    let entry = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let is_shown =
            name.starts_with(begun) && (begun.starts_with('.') || !name.starts_with('.'));
        let slash = if entry.path().is_dir() { "/" } else { "" };
        (is_shown && is_wanted(&entry.path())).then(|| format!("{directory}{name}{slash}"))
    };
    let mut found: Vec<_> =
        fs::read_dir(place).into_iter().flatten().flatten().filter_map(entry).collect();
    found.sort();
    found
}

/// Returns the directory of a typed path: `~` is the home directory, an empty one the working
/// directory.
fn expanded(directory: &str) -> Option<std::path::PathBuf> {
    match directory.strip_prefix("~/") {
        Some(below) => Some(Context::base_directories()?.home_dir().join(below)),
        None if directory.is_empty() => Some(".".into()),
        None => Some(directory.into()),
    }
}

/// Returns the candidates that begin like this.
fn beginning(current: &OsStr, all: impl Iterator<Item = String>) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.filter(|candidate| candidate.starts_with(&*current)).map(CompletionCandidate::new).collect()
}
