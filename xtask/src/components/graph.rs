//! The packages of the `sesame` binary.
//!
//! `cargo metadata` has the packages, but unites the features of all crates, and so names packages
//! that are never built. `cargo tree` has the features of `sesame-cli` alone: only its edges are
//! followed.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Deserialize;

use crate::problem::{Problem, Result};
use crate::repository::{command, output};

/// The package of the binary.
pub const PACKAGE: &str = "sesame-cli";

/// The processor and system of the packages.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The edges of everything that is built.
pub const ALL: &str = "normal,build";

/// The edges of everything that is linked.
pub const LINKED: &str = "normal,no-proc-macro";

/// The name and the version of a package.
pub type Key = (String, String);

/// A package, as `cargo metadata` describes it.
#[derive(Deserialize)]
pub struct Package {
    id: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Its registry; ours have none.
    pub source: Option<String>,
    /// Its libraries, programs and build script.
    pub targets: Vec<Target>,
}

/// A library, a program or a build script.
#[derive(Deserialize)]
pub struct Target {
    /// Its kinds, such as `lib` or `proc-macro`.
    pub kind: Vec<String>,
    /// Its first source.
    pub src_path: std::path::PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl Package {
    /// Returns the name and the version.
    pub fn key(&self) -> Key {
        (self.name.clone(), self.version.clone())
    }

    fn is_macro(&self) -> bool {
        self.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "proc-macro"))
    }
}

/// The packages built for the binary, and the linked ones among them.
pub struct Graph {
    packages: HashMap<String, Package>,
    nodes: HashMap<String, Vec<Dependency>>,
    edges: HashSet<(Key, Key)>,
    /// The processor and system of the binary.
    pub target: String,
    root: String,
    built: BTreeSet<String>,
    linked: BTreeSet<String>,
}

impl Graph {
    /// Asks cargo for the packages of the binary for a processor and system.
    pub fn read(target: &str) -> Result<Self> {
        let arguments =
            ["metadata", "--format-version", "1", "--filter-platform", target, "--locked"];
        let described = output(command("cargo", &arguments))?;
        let metadata: Metadata = serde_json::from_str(&described)
            .map_err(|error| Problem::new(format!("cargo metadata: {error}")))?;
        let mut graph = Self::new(target, metadata, edges_of(&tree(target, ALL)?))?;
        graph.walk(&graph.root.clone(), true);
        Ok(graph)
    }

    fn new(target: &str, metadata: Metadata, edges: HashSet<(Key, Key)>) -> Result<Self> {
        let Metadata { packages, workspace_members, resolve } = metadata;
        let packages: HashMap<_, _> =
            packages.into_iter().map(|package| (package.id.clone(), package)).collect();
        let nodes = resolve.nodes.into_iter().map(|node| (node.id, node.deps)).collect();
        let is_root = |id: &String| packages.get(id).is_some_and(|it| it.name == PACKAGE);
        let root = workspace_members.into_iter().find(is_root);
        let root = root.ok_or_else(|| Problem::new(format!("no package is called {PACKAGE}")))?;
        let (target, built, linked) = (target.to_owned(), BTreeSet::new(), BTreeSet::new());
        Ok(Self { packages, nodes, edges, target, root, built, linked })
    }

    fn walk(&mut self, id: &str, is_linked: bool) {
        let known = if is_linked { &self.linked } else { &self.built };
        if known.contains(id) {
            return;
        }
        self.built.insert(id.to_owned());
        if is_linked {
            self.linked.insert(id.to_owned());
        }
        for (other, is_normal) in self.followed(id) {
            let is_macro = self.packages.get(&other).is_some_and(Package::is_macro);
            self.walk(&other, is_linked && is_normal && !is_macro);
        }
    }

    /// Returns the dependencies of a package, each with whether it is a normal one.
    fn followed(&self, id: &str) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        let Some(package) = self.packages.get(id) else { return found };
        for dependency in self.nodes.get(id).into_iter().flatten() {
            let kinds = || dependency.dep_kinds.iter().map(|kind| kind.kind.as_deref());
            let Some(other) = self.packages.get(&dependency.pkg) else { continue };
            let is_built = kinds().any(|kind| kind != Some("dev"));
            if is_built && self.edges.contains(&(package.key(), other.key())) {
                found.push((dependency.pkg.clone(), kinds().any(|kind| kind.is_none())));
            }
        }
        found
    }

    /// Returns the package of the binary.
    pub fn root(&self) -> &Package {
        &self.packages[&self.root]
    }

    /// Returns all other packages that are built, each with whether it is linked.
    pub fn others(&self) -> impl Iterator<Item = (&Package, bool)> {
        let others = self.built.iter().filter(|&id| *id != self.root);
        others.map(|id| (&self.packages[id], self.linked.contains(id)))
    }
}

/// Returns the lines of `cargo tree`: depth and package.
pub fn tree(target: &str, edges: &str) -> Result<Vec<(usize, Key)>> {
    let arguments = [
        "tree",
        "--package",
        PACKAGE,
        "--target",
        target,
        "--edges",
        edges,
        "--prefix",
        "depth",
        "--format",
        "{p}",
        "--locked",
    ];
    Ok(output(command("cargo", &arguments))?.lines().filter_map(tree_line).collect())
}

/// Reads a line such as `2serde v1.0.229 (proc-macro)`.
fn tree_line(line: &str) -> Option<(usize, Key)> {
    let digits = line.find(|c: char| !c.is_ascii_digit())?;
    let (depth, rest) = line.split_at(digits);
    let mut words = rest.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some((depth.parse().ok()?, (name.to_owned(), version.to_owned())))
}

/// Returns the dependencies: the parent of a line is the last one before it of a depth one less.
fn edges_of(lines: &[(usize, Key)]) -> HashSet<(Key, Key)> {
    let (mut path, mut edges) = (Vec::<Key>::new(), HashSet::new());
    for (depth, package) in lines {
        path.truncate(*depth);
        path.push(package.clone());
        if let Some(parent) = depth.checked_sub(1).and_then(|above| path.get(above)) {
            edges.insert((parent.clone(), package.clone()));
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        (name.to_owned(), "1.0.0".to_owned())
    }

    #[test]
    fn parent_of_a_line_is_one_above() {
        let lines = ["0a v1.0.0 (/r/a)", "1b v1.0.0", "2c v1.0.0 (*)", "1d v1.0.0", "", "[build]"];
        let edges = edges_of(&lines.into_iter().filter_map(tree_line).collect::<Vec<_>>());
        let wanted = [("a", "b"), ("b", "c"), ("a", "d")];
        assert_eq!(edges, wanted.map(|(from, to)| (key(from), key(to))).into());
    }

    #[test]
    fn only_followed_edges_are_built() {
        let package = |name: &str, kind: &str| {
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","source":null,
                "targets":[{{"kind":["{kind}"],"src_path":"/r"}}]}}"#
            )
        };
        let described = format!(
            r#"{{"packages":[{},{},{},{},{}],"workspace_members":["sesame-cli"],
            "resolve":{{"nodes":[{{"id":"sesame-cli","deps":[
                {{"pkg":"lib","dep_kinds":[{{"kind":null}}]}},
                {{"pkg":"mac","dep_kinds":[{{"kind":null}}]}},
                {{"pkg":"dev","dep_kinds":[{{"kind":"dev"}}]}},
                {{"pkg":"off","dep_kinds":[{{"kind":null}}]}}]}}]}}}}"#,
            package("sesame-cli", "bin"),
            package("lib", "lib"),
            package("mac", "proc-macro"),
            package("dev", "lib"),
            package("off", "lib"),
        );
        let edges = ["lib", "mac", "dev"].map(|name| (key("sesame-cli"), key(name)));
        let metadata = serde_json::from_str(&described).expect("as cargo writes it");
        let mut graph = Graph::new(TARGET, metadata, edges.into()).expect("a root");
        graph.walk("sesame-cli", true);
        let found: Vec<_> =
            graph.others().map(|(package, is_linked)| (package.name.as_str(), is_linked)).collect();
        assert_eq!(found, [("lib", true), ("mac", false)]);
    }
}
