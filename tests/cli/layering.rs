//! The allowed dependencies between crates. docs/architecture.md has the picture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{lib}",
            "--package",
            package,
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| line.replace('_', "-")).collect()
}

#[test]
fn crates_depend_only_downwards() {
    let rules: [(&str, &[&str]); 6] = [
        (
            "core-types",
            &[
                "tokio",
                "reqwest",
                "wasmtime",
                "extension-host",
                "extension-depot",
                "clap",
                "private-files",
            ],
        ),
        (
            "extension-host",
            &["extension-depot", "oci-client", "reqwest", "clap", "directories", "rpassword"],
        ),
        ("extension-depot", &["extension-host", "wasmtime", "clap"]),
        ("private-files", &["core-types", "tokio", "serde", "extension-depot", "extension-host"]),
        ("extension-manager", &["clap", "rpassword", "indicatif", "sesame"]),
        ("extension-sdk", &["extension-host", "extension-depot", "core-types", "wasmtime"]),
    ];
    for (package, forbidden) in rules {
        let known = tree(package);
        assert!(known.iter().any(|line| line == package), "{known:?}");
        for other in forbidden {
            assert!(
                !known.iter().any(|line| line == other),
                "{package} must not depend on {other}"
            );
        }
    }
}

/// The modules of a crate, and which of them import which.
struct Modules {
    /// The text of each module by its path, without comments and tests.
    texts: BTreeMap<Vec<String>, String>,
    /// The modules that only re-export: `lib.rs`, `main.rs` and each `mod.rs`.
    rooms: BTreeSet<Vec<String>>,
}

impl Modules {
    fn of(package: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src");
        let mut modules = Self { texts: BTreeMap::new(), rooms: BTreeSet::new() };
        modules.read(&root, &[]);
        modules
    }

    fn read(&mut self, directory: &Path, room: &[String]) {
        for entry in std::fs::read_dir(directory).expect("a directory of modules") {
            let path = entry.expect("an entry").path();
            let stem = path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
            let child = [room, &[stem.clone()]].concat();
            if path.is_dir() {
                self.read(&path, &child);
            } else if path.extension().is_some_and(|end| end == "rs") && !stem.ends_with("tests") {
                let is_room = ["lib", "main", "mod"].contains(&stem.as_str());
                let module = if is_room { room.to_vec() } else { child };
                let text = without_comments(&std::fs::read_to_string(&path).expect("a module"));
                self.texts.entry(module.clone()).or_default().push_str(&text);
                self.rooms.extend(is_room.then_some(module));
            }
        }
    }

    /// Returns the module that a path of a module leads to, through the re-exports of rooms.
    fn target(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let path = self.absolute(module, path)?;
        let known = (0..=path.len()).rev().find(|end| self.texts.contains_key(&path[..*end]))?;
        let (found, rest) = path.split_at(known);
        match rest.first() {
            Some(name) if self.rooms.contains(found) => {
                let exported =
                    imports(&self.texts[found]).into_iter().find(|import| import.name == *name)?;
                let deeper = self.target(found, &exported.path);
                deeper.filter(|deeper| deeper != found)
            }
            _ => Some(found.to_vec()),
        }
    }

    fn absolute(&self, module: &[String], path: &[String]) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|part| *part == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "super" => {
                Some([&module[..module.len().checked_sub(supers)?], &path[supers..]].concat())
            }
            "self" => Some([module, &path[1..]].concat()),
            first => {
                let child = [module, &[first.to_owned()]].concat();
                self.texts.contains_key(&child).then(|| [module, path].concat())
            }
        }
    }

    fn imported(&self, module: &[String]) -> BTreeSet<Vec<String>> {
        let text = &self.texts[module];
        let paths = imports(text).into_iter().map(|import| import.path).chain(inline_paths(text));
        paths
            .filter_map(|path| self.target(module, &path))
            .filter(|target| target != module && !self.rooms.contains(target))
            .collect()
    }

    /// Returns the modules that import themselves by way of others.
    fn in_circles(&self) -> Vec<String> {
        let edges: BTreeMap<_, _> = self
            .texts
            .keys()
            .filter(|module| !self.rooms.contains(*module))
            .map(|module| (module.clone(), self.imported(module)))
            .collect();
        let is_in_circle = |start: &Vec<String>| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
            while let Some(module) = next.pop() {
                next.extend(edges[module].iter().filter(|target| seen.insert(*target)));
            }
            seen.contains(start)
        };
        edges.keys().filter(|module| is_in_circle(module)).map(|module| module.join("/")).collect()
    }
}

fn without_comments(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        },
    )
}

/// One name that a `use` brings in, and its path.
struct Import {
    name: String,
    path: Vec<String>,
}

fn imports(text: &str) -> Vec<Import> {
    let mut all = Vec::new();
    for statement in text.split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ") else { continue };
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with("pub") {
            all.extend(leaves(tree));
        }
    }
    all
}

/// Returns the paths of a tree such as `a::{b, c::{d, e as f}}`.
fn leaves(tree: &str) -> Vec<Import> {
    let tree = tree.trim();
    let parts = |path: &str| -> Vec<String> {
        path.split("::")
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    let Some((head, rest)) = tree.split_once('{') else {
        let (path, alias) = tree.split_once(" as ").unwrap_or((tree, ""));
        let mut path = parts(path);
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let last = path.last().cloned().unwrap_or_default();
        let name = if alias.is_empty() { last } else { alias.trim().to_owned() };
        return vec![Import { name, path }];
    };
    let inner = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let below = top_level(inner).into_iter().flat_map(leaves);
    below.map(|Import { name, path }| Import { name, path: [parts(head), path].concat() }).collect()
}

/// Splits at the commas outside of braces.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut all) = (0_usize, 0, Vec::new());
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                all.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    all.push(&list[start..]);
    all.retain(|part| !part.trim().is_empty());
    all
}

/// Returns the paths from `crate::` on that are written out where they are used.
fn inline_paths(text: &str) -> Vec<Vec<String>> {
    let is_of_path = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let path = |rest: &str| {
        let end = rest.find(|letter| !is_of_path(letter)).unwrap_or(rest.len());
        format!("crate::{}", &rest[..end]).split("::").map(str::to_owned).collect()
    };
    text.split("crate::").skip(1).map(path).collect()
}

/// Modules that import each other can only be understood together. The number of modules in circles
/// only goes down; the circles that are left are natural ones, such as a value and its shorter
/// form.
#[test]
fn module_circles_do_not_grow() {
    let most = [
        ("core-types", 0),
        ("private-files", 0),
        ("extension-host", 0),
        ("extension-depot", 0),
        ("extension-manager", 0),
        ("extension-sdk", 0),
        ("sesame-cli", 0),
    ];
    for (package, most) in most {
        let circles = Modules::of(package).in_circles();
        assert!(circles.len() <= most, "{package}: {} in circles: {circles:?}", circles.len());
    }
}
