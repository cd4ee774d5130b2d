//! Where extensions are installed from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use core_types::{
    Digest, ExtensionName, NameError, OciQuery, OciReference, ReferenceError, ReferenceProblem,
};

use crate::oci::artifact::Artifact;
use crate::oci::blob::check;
use crate::oci::descriptor::{MAX_BLOB, MAX_MANIFEST};
use crate::oci::publication::{Description, Publication};
use crate::source::layout_source::{LayoutSource, read_capped};
use crate::source::source_error::SourceError;
use crate::source::staging::Staged;
use crate::source::web_address::{AddressError, WebAddress, parse_file_address, refuse_scheme};
use crate::store::depot::Depot;

/// The revision of files, which have no version.
const LOCAL_REVISION: &str = "0.0.0";

/// A source to install from: a reference, a repository, a file here or on the web, or an entry of
/// an OCI image layout.
///
/// ```
/// use extension_depot::Source;
///
/// assert!(matches!("./weather.wasm".parse()?, Source::File(_)));
/// assert!(matches!("ghcr.io/my-org/weather:1.0.0".parse()?, Source::Registry(_)));
/// assert!(matches!("ghcr.io/my-org/weather".parse()?, Source::Newest(_)));
/// # Ok::<(), extension_depot::SourceTextError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `registry/[principal/]scope:revision[@provenance]`
    Registry(OciReference),
    /// `registry/[principal/]scope`: the newest version that the repository has.
    Newest(OciQuery),
    /// `./name.wasm`, or `file:///path/name.wasm`
    File(PathBuf),
    /// `https://host/path/name.wasm`
    Web(WebAddress),
    /// `oci:PATH[:TAG]`, where the path is a directory or a tar.
    Layout {
        /// The directory or tar.
        path: PathBuf,
        /// The entry; without it, the only one.
        tag: Option<String>,
    },
}

/// Why a text does not name a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceTextError {
    /// It is not a reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// It is not the address of a file.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl FromStr for Source {
    type Err = SourceTextError;

    fn from_str(text: &str) -> Result<Self, SourceTextError> {
        if let Some(path) = parse_file_address(text) {
            return Ok(Self::File(path?));
        }
        if let Some(address) = WebAddress::parse(text) {
            return Ok(Self::Web(address?));
        }
        if let Some(refused) = refuse_scheme(text) {
            return Err(refused.into());
        }
        if let Some(layout) = text.strip_prefix("oci:").filter(|rest| !rest.starts_with("//")) {
            let (path, tag) = match layout.rsplit_once(':') {
                Some((path, tag)) if !tag.contains('/') && !path.is_empty() => {
                    (path, Some(tag.to_owned()))
                }
                _ => (layout, None),
            };
            return Ok(Self::Layout { path: path.into(), tag });
        }
        let is_path = ["./", "../", "/"].iter().any(|start| text.starts_with(start));
        match text.parse::<OciReference>() {
            Ok(reference) if !is_path => Ok(Self::Registry(reference)),
            // A digest without a tag is a reference with a part missing and not a repository.
            Err(ReferenceError { problem: ReferenceProblem::MissingRevision, .. })
                if !is_path && !text.ends_with(".wasm") && !text.contains('@') =>
            {
                Ok(Self::Newest(text.parse()?))
            }
            Err(error) if !is_path && !text.ends_with(".wasm") => Err(error.into()),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Newest(repository) => repository.fmt(f),
            Self::File(path) => path.display().fmt(f),
            Self::Web(address) => address.fmt(f),
            Self::Layout { path, tag: None } => write!(f, "oci:{}", path.display()),
            Self::Layout { path, tag: Some(tag) } => write!(f, "oci:{}:{tag}", path.display()),
        }
    }
}

impl Source {
    /// Returns the name that the extension has unless the user chooses one: the [nearest
    /// one](ExtensionName::nearest) to the reference's last path component, or to the file's name
    /// up to its first dot.
    ///
    /// # Errors
    /// When that is not the name of an extension.
    pub fn default_name(&self) -> Result<ExtensionName, NameError> {
        match self {
            Self::Registry(reference) => reference.default_name(),
            Self::Newest(repository) => ExtensionName::nearest(
                repository.repository().rsplit('/').next().unwrap_or_default(),
            ),
            Self::File(path) | Self::Layout { path, .. } => {
                name_of_file(&path.file_name().unwrap_or_default().to_string_lossy())
            }
            Self::Web(address) => name_of_file(address.file_name()),
        }
    }
}

/// Returns the name for a file: that of the file up to its first dot.
fn name_of_file(file: &str) -> Result<ExtensionName, NameError> {
    ExtensionName::nearest(file.split('.').next().unwrap_or_default())
}

impl Depot {
    /// Stages a WebAssembly file as the extension of this name, if its bytes are the expected ones.
    /// The same file always gives the same digest.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or has other bytes.
    pub fn stage_expected_file(
        &self,
        path: &Path,
        expected: Option<&Digest>,
        name: &ExtensionName,
    ) -> Result<Staged, SourceError> {
        let binary = read_capped(path, MAX_BLOB)?;
        let checked = expected.map_or(Ok(()), |expected| check(&binary, expected));
        checked.map_err(|source| SourceError::Digest { path: path.to_owned(), source })?;
        self.stage_bytes(binary, name)
    }

    /// Stages a WebAssembly binary as the extension of this name, as if it had come from a file.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn stage_bytes(
        &self,
        binary: Vec<u8>,
        name: &ExtensionName,
    ) -> Result<Staged, SourceError> {
        self.stage_under(binary, name, &OciReference::local_file(name, LOCAL_REVISION)?)
    }

    /// Stages an author's build, to try it under this name. A version that cannot be a tag is left
    /// out.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn stage_development(
        &self,
        binary: Vec<u8>,
        name: &ExtensionName,
        version: Option<&str>,
    ) -> Result<Staged, SourceError> {
        let with_version =
            version.and_then(|version| OciReference::local_development(name, version).ok());
        let reference = with_version
            .map_or_else(|| OciReference::local_development(name, LOCAL_REVISION), Ok)?;
        self.stage_under(binary, name, &reference)
    }

    fn stage_under(
        &self,
        binary: Vec<u8>,
        name: &ExtensionName,
        reference: &OciReference,
    ) -> Result<Staged, SourceError> {
        let file = format!("{name}.wasm");
        let description = Description { title: file.clone(), ..Description::default() };
        let documents = Publication::cncf(binary, &description)
            .map_err(|error| SourceError::Read { path: file.into(), source: error.into() })?;
        let staging = self.staging()?;
        for layer in &documents.layers {
            staging.put_new(layer)?;
        }
        staging.put_new(&documents.config)?;
        let digest = staging.put_new(&documents.manifest)?;
        let artifact =
            Artifact::resolve(digest, |_| Ok::<_, SourceError>(documents.manifest.clone()))?;
        Ok(Staged::new(staging, artifact, reference.pinned_to(digest))?)
    }

    /// Stages an entry of an OCI image layout as the extension of this name.
    ///
    /// # Errors
    /// When it is not a layout, lacks the entry, or has bytes with another digest.
    pub fn stage_layout(
        &self,
        path: &Path,
        tag: Option<&str>,
        name: &ExtensionName,
    ) -> Result<Staged, SourceError> {
        let layout = LayoutSource::open(path)?;
        let (digest, entry_name) = layout.entry(tag)?;
        let revision = tag.map(str::to_owned).or(entry_name).filter(|tag| is_tag(tag));
        let reference =
            OciReference::local_layout(name, revision.as_deref().unwrap_or(LOCAL_REVISION))?
                .pinned_to(digest);
        self.stage_entry(&layout, digest, reference)
    }

    pub(crate) fn stage_entry(
        &self,
        layout: &LayoutSource,
        digest: Digest,
        reference: OciReference,
    ) -> Result<Staged, SourceError> {
        let staging = self.staging()?;
        let artifact = Artifact::resolve(digest, |digest| {
            let bytes = layout.blob(digest, MAX_MANIFEST)?;
            staging.put(digest, &bytes)?;
            Ok::<_, SourceError>(bytes)
        })?;
        for blob in artifact.manifest.blobs() {
            layout.stage_blob(&staging, blob)?;
        }
        Ok(Staged::new(staging, artifact, reference)?)
    }
}

fn is_tag(text: &str) -> bool {
    format!("a/b/c:{text}")
        .parse::<OciReference>()
        .is_ok_and(|reference| reference.revision() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_references_differ() {
        let source = |text: &str| text.parse::<Source>().map_err(|error| error.to_string());
        let layout = |path: &str, tag: Option<&str>| {
            Ok(Source::Layout { path: path.into(), tag: tag.map(str::to_owned) })
        };
        assert!(matches!(source("ghcr.io/a/b:1"), Ok(Source::Registry(_))));
        assert!(matches!(source("oci://ghcr.io/a/b:1"), Ok(Source::Registry(_))));
        assert!(matches!(source("localhost:5000/one:1"), Ok(Source::Registry(_))));
        assert!(matches!(source("registry.example/one"), Ok(Source::Newest(_))));
        assert!(
            source("my-org/one:1").is_err() && source("my-org/one").is_err(),
            "a registry is missing"
        );
        assert!(matches!(source("ghcr.io/a/b:1.wasm"), Ok(Source::Registry(_))));
        for path in ["./x.wasm", "../x.wasm", "/x", "x.wasm", "dir/x.wasm", "./ghcr.io/a/b:1"] {
            assert_eq!(source(path), Ok(Source::File(path.into())));
        }
        assert_eq!(source("oci:dir"), layout("dir", None));
        assert_eq!(source("oci:dir:1.0"), layout("dir", Some("1.0")));
        assert_eq!(source("oci:/a:b/dir"), layout("/a:b/dir", None));
        assert!(source("weather").is_err());
        assert_eq!(source("file:///a%20b/x.wasm"), Ok(Source::File("/a b/x.wasm".into())));
        assert!(matches!(source("https://example.com/x.wasm"), Ok(Source::Web(_))));
        assert!(source("file://host/x.wasm").is_err() && source("https://example.com").is_err());
        assert!(source("file:./x.wasm").is_err() && source("ftp://host/x.wasm").is_err());
        assert!(matches!(source("file:5000/one:1"), Ok(Source::Registry(_))));
    }

    /// The name is the last component or the name of the file up to its dot.
    #[test]
    fn default_name_of_a_source() {
        let name = |text: &str| {
            text.parse::<Source>().expect(text).default_name().map(|name| name.to_string()).ok()
        };
        assert_eq!(name("ghcr.io/my-org/wasi/weather:1").as_deref(), Some("weather"));
        assert_eq!(name("./weather.component.wasm").as_deref(), Some("weather"));
        assert_eq!(name("oci:/tmp/bundle.tar:1").as_deref(), Some("bundle"));
        assert_eq!(name("https://example.com/dl/weather.wasm?x=1").as_deref(), Some("weather"));
        assert_eq!(name("./My_app.wasm").as_deref(), Some("my-app"));
        assert_eq!(name("ghcr.io/my-org/my_app").as_deref(), Some("my-app"));
        assert_eq!(name("./.wasm"), None);
        assert_eq!(name("./é.wasm"), None);
    }
}
