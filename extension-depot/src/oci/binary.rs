//! Which bytes of an artifact are its WebAssembly binary.
//!
//! A media type that says WebAssembly is believed. Where none does, the bytes decide: plain tools
//! push a binary under the media type of an archive, and container tools put one into an archive.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use core_types::Digest;

use crate::archives::unpack::{Kind, UnpackError, Unpacked, is_tar_type, unpack};
use crate::oci::artifact::Artifact;
use crate::oci::artifact_kind::{IMAGE, kind_of_whole, several_archives};
use crate::oci::blob::open_plain;
use crate::oci::image::{Descriptor, EMPTY_TAR, ImageError, ImageManifest, TITLE};
use crate::store::staging::Staging;

/// How much of a layer is looked at to tell what it is: the header of the first file, where it is a
/// tar.
const HEAD: u64 = 512;
/// The name of what is being unpacked. No digest is written like this.
const UNPACKING: &str = "unpacking";

/// The WebAssembly binary of an extension: the file that is compiled, and what its bytes are.
///
/// It is a layer of the artifact, or what was unpacked from one and lies beside the layers under
/// its own digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The file.
    pub path: PathBuf,
    /// The digest of its bytes, by which compiled code is known.
    pub digest: Digest,
    /// Their number.
    pub size: u64,
}

/// The layer that leads to the binary.
enum Carrier<'a> {
    /// It is the binary.
    Plain(&'a Descriptor),
    /// The binary is packed in it.
    Packed(&'a Descriptor),
}

impl Staging {
    /// Finds the binary of an artifact whose blobs are all there and verified, and unpacks it where
    /// it is packed.
    pub(crate) fn binary(&self, artifact: &Artifact) -> Result<Binary, UnpackError> {
        let blob = |digest: &Digest| self.blob(digest);
        match carrier(&artifact.manifest, &blob)? {
            Carrier::Plain(layer) => Ok(Binary {
                path: self.blob(&layer.digest),
                digest: layer.digest,
                size: layer.size,
            }),
            Carrier::Packed(layer) => self.unpack(layer, kind_of_whole(&artifact.manifest)),
        }
    }

    fn unpack(&self, layer: &Descriptor, whole: &str) -> Result<Binary, UnpackError> {
        let unpacking = self.file(UNPACKING);
        let failed = |source| UnpackError::Io { path: unpacking.clone(), source };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unpacking).map_err(failed)?;
        let Unpacked { digest, size } = unpack(&self.blob(&layer.digest), layer, whole, &mut file)?;
        file.sync_all().map_err(failed)?;
        let path = self.blob(&digest);
        fs::rename(&unpacking, &path).map_err(failed)?;
        Ok(Binary { path, digest, size })
    }
}

/// The digest of the binary that the blobs of an artifact lead to, found anew and kept nowhere.
pub(crate) fn binary_digest(
    manifest: &ImageManifest,
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Digest, UnpackError> {
    match carrier(manifest, blob)? {
        Carrier::Plain(layer) => Ok(layer.digest),
        Carrier::Packed(layer) => {
            Ok(unpack(&blob(&layer.digest), layer, kind_of_whole(manifest), &mut io::sink())?
                .digest)
        }
    }
}

/// Chooses the layer: by its media type, else the only one whose bytes are WebAssembly, else the
/// only one that something can be packed in.
fn carrier<'a>(
    manifest: &'a ImageManifest,
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Carrier<'a>, UnpackError> {
    if let Some(layer) = manifest.wasm_layer()? {
        return Ok(Carrier::Plain(layer));
    }
    let heads = manifest.possible_layers().map(|layer| Ok((layer, head(&blob(&layer.digest))?)));
    let heads: Vec<_> = heads.collect::<Result<_, UnpackError>>()?;
    let is_plain = |(_, head): &&(&Descriptor, Vec<u8>)| Kind::of(head) == Kind::Wasm;
    let is_packed = |(layer, head): &&(&Descriptor, Vec<u8>)| match Kind::of(head) {
        Kind::Gzip | Kind::Zstd => layer.size > EMPTY_TAR || !is_tar_type(&layer.media_type),
        Kind::Tar => true,
        Kind::Wasm => false,
        // Tars of the oldest form do not say that they are.
        Kind::Other => is_tar_type(&layer.media_type) && head.len() as u64 == HEAD,
    };
    let plain: Vec<_> = heads.iter().filter(is_plain).map(|(layer, _)| *layer).collect();
    let packed: Vec<_> = heads.iter().filter(is_packed).map(|(layer, _)| *layer).collect();
    match (plain.as_slice(), packed.as_slice()) {
        ([layer], _) => Ok(Carrier::Plain(layer)),
        ([], [layer]) => Ok(Carrier::Packed(layer)),
        ([], []) => {
            let is_image = kind_of_whole(manifest) == IMAGE;
            let found = heads.first().filter(|_| !is_image).map(|(_, head)| describe(head));
            let without = || format!("{} without WebAssembly", kind_of_whole(manifest));
            Err(manifest.no_wasm(&found.unwrap_or_else(without)).into())
        }
        ([], several) => Err(manifest.no_wasm(&several_archives(manifest, several.len())).into()),
        (several, _) => Err(ImageError::several(several).into()),
    }
}

fn head(path: &Path) -> Result<Vec<u8>, UnpackError> {
    let failed = |source| UnpackError::Io { path: path.to_owned(), source };
    let (file, _) = open_plain(path).map_err(failed)?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}

/// What bytes are that are not WebAssembly, by how they begin.
pub(crate) fn describe(head: &[u8]) -> String {
    let known = [
        (b"\x7fELF".as_slice(), "a native program"),
        (b"PK\x03\x04", "a zip archive"),
        (b"%PDF", "a PDF document"),
        (b"\x89PNG", "a picture"),
        (b"#!", "a script"),
        (b"{", "JSON"),
        (b"<", "HTML or XML"),
    ];
    let found = known.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| *what);
    let is_text = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    // The end of what was read can be in the middle of a character.
    let text = std::str::from_utf8(head)
        .or_else(|error| std::str::from_utf8(&head[..error.valid_up_to()]));
    match found {
        Some(what) => what.to_owned(),
        None if head.is_empty() => "an empty file".to_owned(),
        None if text.is_ok_and(|text| !text.is_empty() && is_text(text)) => "text".to_owned(),
        None => format!("data that starts with `{}`", head[..head.len().min(8)].escape_ascii()),
    }
}

impl ImageError {
    /// Several layers are WebAssembly, with the names of files where the layers have them.
    pub(crate) fn several(layers: &[&Descriptor]) -> Self {
        let titles = layers.iter().filter_map(|layer| layer.annotations.get(TITLE));
        let titles: Vec<_> =
            titles.take(5).map(|title| format!("`{}`", title.escape_debug())).collect();
        let names =
            if titles.is_empty() { String::new() } else { format!(" ({})", titles.join(", ")) };
        Self::SeveralWasm { count: layers.len(), names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_described_by_their_start() {
        for (head, expected) in [
            (b"\x7fELF\x02".as_slice(), "a native program"),
            (b"# Read me\n", "text"),
            ("ä".repeat(300).as_bytes().get(..511).expect("half a letter"), "text"),
            (b"{\"a\":1}", "JSON"),
            (b"", "an empty file"),
            (b"\xff\x00\x1b[31m", "data that starts with `\\xff\\x00\\x1b[31m`"),
        ] {
            assert_eq!(describe(head), expected);
        }
    }
}
