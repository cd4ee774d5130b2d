//! The list of components, as CycloneDX 1.6 in JSON.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::graph::{Graph, Key, Package};
use super::uuid::{NAMESPACE_URL, uuid_by_name};
use crate::digest::{hex, sha256};
use crate::problem::{Problem, Result};
use crate::repository::{read, root};

/// The list. Members are in the order of the file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bill {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    /// The subject of the list.
    pub metadata: Metadata,
    /// Everything else that is built.
    pub components: Vec<Component>,
    /// The dependencies of each.
    pub dependencies: Vec<Dependency>,
}

/// The subject of the list.
#[derive(Serialize)]
pub struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    /// The binary.
    pub component: Component,
}

/// A package.
#[derive(Serialize)]
pub struct Component {
    r#type: &'static str,
    /// `required` where it is linked, `excluded` where it only runs while building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// The name by which dependencies refer to it.
    #[serde(rename = "bom-ref")]
    pub reference: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Its place in a registry, or that of our repository.
    pub purl: String,
    /// The digest of its archive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hashes: Vec<Hash>,
    /// Its licence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub licenses: Vec<License>,
}

/// The digest of an archive.
#[derive(Serialize)]
pub struct Hash {
    alg: &'static str,
    /// The digest in hexadecimal digits.
    pub content: String,
}

/// A licence, as a package declares it.
#[derive(Serialize)]
pub struct License {
    /// The expression of SPDX.
    pub expression: String,
    acknowledgement: &'static str,
}

/// The dependencies of a component.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependency {
    /// The component.
    pub r#ref: String,
    /// The components that it needs.
    pub depends_on: Vec<String>,
}

impl Bill {
    /// Makes the list. The same sources give the same bytes: the serial number comes from
    /// Cargo.lock, and a time only from `SOURCE_DATE_EPOCH`.
    pub fn of(graph: &Graph, epoch: Option<&str>) -> Result<Self> {
        let lock = read(&root().join("Cargo.lock"))?;
        let known = checksums(&lock)?;
        let mut others: Vec<_> = graph.others().collect();
        others.sort_by_key(|(package, _)| purl(package));
        let packages = others.iter().map(|(package, _)| *package);
        let binary = graph.root();
        Ok(Self {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: serial_number(binary, &lock),
            version: 1,
            metadata: Metadata {
                timestamp: epoch.map(timestamp).transpose()?,
                component: Component { name: "sesame".to_owned(), ..application(binary, &known) },
            },
            components: others.iter().map(|other| library(*other, &known)).collect(),
            dependencies: std::iter::once(binary)
                .chain(packages)
                .map(|package| dependency(graph, package))
                .collect(),
        })
    }

    /// Writes the list.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        text.map(|text| text + "\n").map_err(|error| Problem::new(error.to_string()))
    }
}

fn application(package: &Package, known: &HashMap<Key, String>) -> Component {
    component("application", package, known)
}

fn library((package, is_linked): (&Package, bool), known: &HashMap<Key, String>) -> Component {
    let scope = Some(if is_linked { "required" } else { "excluded" });
    Component { scope, ..component("library", package, known) }
}

fn component(kind: &'static str, package: &Package, known: &HashMap<Key, String>) -> Component {
    let hash = |content: &String| Hash { alg: "SHA-256", content: content.clone() };
    let license = |expression| License { expression, acknowledgement: "declared" };
    Component {
        r#type: kind,
        scope: None,
        reference: purl(package),
        name: package.name.clone(),
        version: package.version.clone(),
        purl: purl(package),
        hashes: known.get(&package.key()).map(hash).into_iter().collect(),
        licenses: expression(package).map(license).into_iter().collect(),
    }
}

fn dependency(graph: &Graph, package: &Package) -> Dependency {
    let mut depends_on: Vec<_> = graph.dependencies(package).map(purl).collect();
    depends_on.sort();
    depends_on.dedup();
    Dependency { r#ref: purl(package), depends_on }
}

/// Returns the package URL. Our own packages are not in a registry: their source is added, lest a
/// foreign one of that name be meant.
fn purl(package: &Package) -> String {
    let name = format!("pkg:cargo/{}@{}", package.name, percent_encoded(&package.version, ""));
    if package.source.is_some() {
        return name;
    }
    let repository = package.repository.as_deref().unwrap_or_default();
    format!("{name}?vcs_url={}", percent_encoded(&format!("git+{repository}"), ":/"))
}

fn percent_encoded(text: &str, safe: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c) {
            encoded.push(c);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Returns the declared expression. Old crates write a slash for `OR`.
fn expression(package: &Package) -> Option<String> {
    let declared = package.license.as_deref().filter(|declared| !declared.is_empty())?;
    if !declared.contains('/') {
        return Some(declared.to_owned());
    }
    Some(declared.split('/').map(str::trim).collect::<Vec<_>>().join(" OR "))
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

fn checksums(lock: &str) -> Result<HashMap<Key, String>> {
    let lock: Lock =
        toml::from_str(lock).map_err(|error| Problem::new(format!("Cargo.lock: {error}")))?;
    let entry = |locked: Locked| Some(((locked.name, locked.version), locked.checksum?));
    Ok(lock.package.into_iter().filter_map(entry).collect())
}

fn serial_number(binary: &Package, lock: &str) -> String {
    let digest = hex(&sha256([lock]));
    let repository = binary.repository.as_deref().unwrap_or_default();
    format!("urn:uuid:{}", uuid_by_name(NAMESPACE_URL, &format!("{repository}#{digest}")))
}

/// Writes the seconds since 1970 as a time in UTC.
fn timestamp(epoch: &str) -> Result<String> {
    let wrong = |_| Problem::new(format!("SOURCE_DATE_EPOCH is `{epoch}`, and not a number"));
    let seconds: u64 = epoch.parse().map_err(wrong)?;
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    Ok(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

/// Returns the date of a day after 1970, by the algorithm of Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc() {
        let shown = ["0", "951782400", "1795732240"].map(|epoch| timestamp(epoch).expect("a time"));
        assert_eq!(shown, ["1970-01-01T00:00:00Z", "2000-02-29T00:00:00Z", "2026-11-26T22:30:40Z"]);
        assert!(timestamp("soon").is_err());
    }

    #[test]
    fn addresses_are_encoded() {
        assert_eq!(percent_encoded("1.0.0+2", ""), "1.0.0%2B2");
        assert_eq!(percent_encoded("git+https://h/p", ":/"), "git%2Bhttps://h/p");
    }

    #[test]
    fn checksums_are_those_of_the_lock() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1\"\nchecksum = \"00\"\n\
                    [[package]]\nname = \"ours\"\nversion = \"1\"\n";
        let found = checksums(lock).expect("a lock");
        assert_eq!(found, HashMap::from([(("a".to_owned(), "1".to_owned()), "00".to_owned())]));
    }
}
