//! Circles among the files of a crate: groups of files of which each imports each other, directly
//! or through others.
//!
//! What counts is what a file names by `use`, `crate::` or `super::`. A name that a `mod.rs` only
//! passes on counts for the file that has it. Tests inside of a file do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A path such as `calling::gate`; the root of a crate is empty.
type Module = Vec<String>;

/// Finds the circles of a crate, each in the order of the names.
///
/// # Panics
/// When the directory cannot be read.
pub fn import_circles(source: &Path) -> Vec<Vec<String>> {
    let files = Files::read(source);
    let edges: BTreeMap<_, _> =
        files.0.keys().map(|module| (module.clone(), files.imports_of(module))).collect();
    let reached: BTreeMap<_, _> =
        edges.keys().map(|module| (module.clone(), reachable(&edges, module))).collect();
    let mut circles = BTreeSet::new();
    for (module, others) in &reached {
        let circle: Vec<_> = others
            .iter()
            .filter(|other| reached[*other].contains(module))
            .map(|other| other.join("::"))
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// The modules that are reached from one by imports. Contains the one where a circle leads back.
fn reachable(edges: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut left: Vec<_> = edges[from].iter().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(module) = left.pop() {
        if seen.insert(module.clone()) {
            left.extend(edges[&module].iter().cloned());
        }
    }
    seen
}

/// The modules of a crate that are files.
struct Files(BTreeMap<Module, File>);

struct File {
    /// The paths that it names, as they stand in it.
    paths: Vec<Module>,
    /// The names that it passes on, each with the path that it has for it.
    exports: BTreeMap<String, Module>,
}

impl Files {
    fn read(source: &Path) -> Self {
        let mut texts = BTreeMap::new();
        read_below(source, &mut Vec::new(), &mut texts);
        let tests: BTreeSet<_> = texts
            .iter()
            .flat_map(|(module, text)| {
                test_modules(text).into_iter().map(|name| child(module, &name))
            })
            .collect();
        texts.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        let modules: BTreeSet<_> = texts.keys().cloned().collect();
        let file = |(module, text): (Module, String)| {
            let file = File::parse(&without_tests(&text), &module, &modules);
            (module, file)
        };
        Self(texts.into_iter().map(file).collect())
    }

    fn imports_of(&self, module: &Module) -> BTreeSet<Module> {
        let paths = self.0[module].paths.iter();
        let found: BTreeSet<_> = paths.filter_map(|path| self.owner(module, path, 0)).collect();
        found.into_iter().filter(|other| other != module).collect()
    }

    /// Returns the file of a path; nothing for other crates.
    fn owner(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        // A name that is passed on in a circle of its own would not compile.
        assert!(depth < 20, "{path:?}");
        let (mut module, mut rest) = self.start(from, path)?;
        while let [name, after @ ..] = rest {
            let below = child(&module, name);
            if self.0.contains_key(&below) {
                (module, rest) = (below, after);
                continue;
            }
            return match self.0[&module].exports.get(name) {
                Some(target) => self.owner(&module, target, depth + 1),
                None => Some(module),
            };
        }
        Some(module)
    }

    fn start<'p>(&self, from: &Module, path: &'p [String]) -> Option<(Module, &'p [String])> {
        let mut module = from.clone();
        match path {
            [first, rest @ ..] if first == "crate" => Some((Vec::new(), rest)),
            [first, rest @ ..] if first == "self" => Some((module, rest)),
            [first, ..] if first == "super" => {
                let ups = path.iter().take_while(|name| *name == "super").count();
                // Modules inside of a file count as the file.
                (0..ups).for_each(|_| drop(module.pop()));
                Some((module, &path[ups..]))
            }
            [first, ..] if self.0.contains_key(&child(from, first)) => Some((module, path)),
            _ => None,
        }
    }
}

impl File {
    fn parse(text: &str, module: &Module, modules: &BTreeSet<Module>) -> Self {
        let mut file = Self { paths: Vec::new(), exports: BTreeMap::new() };
        let mut rest = String::new();
        for statement in text.split_inclusive(';') {
            let Some(at) = use_keyword(statement) else {
                rest.push_str(statement);
                continue;
            };
            let (before, tree) = statement.split_at(at);
            let is_public = before.trim_end().ends_with("pub") || before.trim_end().ends_with(')');
            rest.push_str(before);
            for (path, name) in expand(tree.trim_start_matches("use").trim_end_matches(';')) {
                let is_own = path.first().is_some_and(|first| {
                    first == "self" || modules.contains(&child(module, first))
                });
                if is_public {
                    file.exports.insert(name, path.clone());
                }
                if !(is_public && is_own) {
                    file.paths.push(path);
                }
            }
        }
        file.paths.extend(inline_paths(&rest));
        file
    }
}

/// Where the keyword of a statement stands, if it is a `use`.
fn use_keyword(statement: &str) -> Option<usize> {
    statement.rmatch_indices("use ").map(|(at, _)| at).find(|at| {
        let line = statement[..*at].rsplit('\n').next().unwrap_or_default().trim();
        line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'))
    })
}

/// The paths of a tree of imports, each with the name that it gets.
fn expand(tree: &str) -> Vec<(Module, String)> {
    let tree = tree.trim();
    if let Some((before, group)) = tree.split_once('{') {
        let prefix = segments(before);
        let group = group.trim_end().trim_end_matches('}');
        let with_prefix = |(path, name): (Module, String)| {
            let is_self = path.first().is_some_and(|first| first == "self") && path.len() == 1;
            let path = if is_self { Vec::new() } else { path };
            let name = if is_self { prefix.last().cloned().unwrap_or_default() } else { name };
            ([prefix.clone(), path].concat(), name)
        };
        return split_group(group).into_iter().flat_map(expand).map(with_prefix).collect();
    }
    let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
    let path = segments(path);
    let name = if name.is_empty() {
        path.last().cloned().unwrap_or_default()
    } else {
        name.trim().to_owned()
    };
    if path.is_empty() { Vec::new() } else { vec![(path, name)] }
}

/// The parts of a group, split at the commas of its own level.
fn split_group(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
}

fn segments(path: &str) -> Module {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The paths that stand in code: `crate::a::b`, `super::a`.
fn inline_paths(code: &str) -> Vec<Module> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    code.split(|c| !is_part(c))
        .filter(|word| word.starts_with("crate::") || word.starts_with("super::"))
        .map(segments)
        .collect()
}

/// The modules that a file declares for tests alone.
fn test_modules(text: &str) -> Vec<String> {
    let after = text.split("#[cfg(test)]").skip(1);
    after
        .filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once(';'))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .collect()
}

/// The text without comments, and without the tests that end a file.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    code.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn read_below(directory: &Path, module: &mut Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(directory).expect("a directory of source text") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            module.push(name);
            read_below(&path, module, texts);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_own = matches!(name.as_str(), "mod" | "lib" | "main");
            let module = if is_own { module.clone() } else { child(module, &name) };
            texts.insert(module, fs::read_to_string(&path).expect("source text"));
        }
    }
}

fn child(module: &Module, name: &str) -> Module {
    let mut module = module.clone();
    module.push(name.to_owned());
    module
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let source = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            let path = source.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        }
        import_circles(source.path())
    }

    #[test]
    fn two_files_make_a_circle() {
        let found = circles(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
            ("a.rs", "use crate::{b::{self, B}, c};\n"),
            ("b.rs", "pub struct B;\nfn f() -> crate::a::A { crate::a::A }\n"),
            ("c.rs", "// use crate::a::A;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
        ]);
        assert_eq!(found, [["a", "b"]]);
    }

    /// A room that only passes on names is no part of a circle.
    #[test]
    fn passed_on_names_count_for_their_file() {
        let room = "mod one;\nmod two;\npub(crate) use one::One;\npub use two::{Two as Second};\n";
        let files = |two: &'static str| {
            circles(&[
                ("main.rs", "mod room;\nmod user;\n"),
                ("room/mod.rs", room),
                ("room/one.rs", "use super::two::Two;\n"),
                ("room/two.rs", two),
                ("user.rs", "use crate::room::{One, Second};\npub struct User;\n"),
            ])
        };
        assert!(files("pub struct Two;\n").is_empty());
        assert_eq!(files("use super::One;\n"), [["room::one", "room::two"]]);
        assert_eq!(files("use crate::user::User;\n"), [["room::one", "room::two", "user"]]);
    }
}
