//! Finds the WebAssembly binary of an artifact.
//!
//! A media type that says WebAssembly is believed. Where none does, the bytes decide: plain tools
//! push a binary under the media type of an archive, and container tools put one into an archive.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use core_types::Digest;
use private_files::open_regular;

use crate::archives::empty_layer::is_without_files;
use crate::archives::file_kind::{EMPTY_TAR, Kind, describe, is_tar_type};
use crate::archives::unpack::{UnpackError, Unpacked, unpack};
use crate::oci::artifact_kind::{IMAGE, kind_of_whole, known_kind, several_archives};
use crate::oci::descriptor::Descriptor;
use crate::oci::image::ImageManifest;
use crate::oci::image_error::ImageError;

/// The bytes of a layer that tell its kind: the header of the first file, where it is a tar.
const HEAD: u64 = 512;

/// The WebAssembly binary of an extension: the file that is compiled, and the digest of its bytes.
///
/// It is a layer of the artifact, or was unpacked from one and lies beside the layers under its own
/// digest.
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
pub(crate) enum Carrier<'a> {
    /// It is the binary.
    Plain(&'a Descriptor),
    /// The binary is packed in it.
    Packed(&'a Descriptor),
}

/// Returns the digest of the binary that the blobs of an artifact lead to, found anew and kept
/// nowhere.
pub(crate) fn binary_digest(
    manifest: &ImageManifest,
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Digest, UnpackError> {
    match carrier(manifest, blob)? {
        Carrier::Plain(layer) => Ok(layer.digest),
        Carrier::Packed(layer) => {
            Ok(unpack_layer(manifest, layer, &blob(&layer.digest), &mut io::sink())?.digest)
        }
    }
}

/// Unpacks the binary of a layer. Where it has none, the error has the kind of the artifact.
pub(crate) fn unpack_layer(
    manifest: &ImageManifest,
    layer: &Descriptor,
    path: &Path,
    sink: &mut dyn Write,
) -> Result<Unpacked, UnpackError> {
    let unpacked = unpack(path, layer, kind_of_whole(manifest), sink);
    unpacked.map_err(|error| match (error, known_kind(manifest)) {
        (UnpackError::Image(ImageError::NoWasm { .. }), Some(kind)) => {
            manifest.no_wasm(kind).into()
        }
        (error, _) => error,
    })
}

/// A layer and its first bytes.
type Begun<'a> = (&'a Descriptor, Vec<u8>);

/// Chooses the layer: by its media type, else the only one whose bytes are WebAssembly, else the
/// only one that something can be packed in.
pub(crate) fn carrier<'a>(
    manifest: &'a ImageManifest,
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Carrier<'a>, UnpackError> {
    if let Some(layer) = manifest.wasm_layer()? {
        return Ok(Carrier::Plain(layer));
    }
    let begun = manifest.possible_layers().map(|layer| Ok((layer, head(&blob(&layer.digest))?)));
    let begun: Vec<Begun<'a>> = begun.collect::<Result<_, UnpackError>>()?;
    let is_plain = |(_, head): &&Begun<'a>| Kind::of(head) == Kind::Wasm;
    let plain: Vec<_> = begun.iter().filter(is_plain).map(|(layer, _)| *layer).collect();
    match plain.as_slice() {
        [] => packed_layer(manifest, &begun, blob),
        [layer] => Ok(Carrier::Plain(layer)),
        several => Err(ImageError::several(several).into()),
    }
}

/// Chooses the only layer that something can be packed in.
fn packed_layer<'a>(
    manifest: &ImageManifest,
    begun: &[Begun<'a>],
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Carrier<'a>, UnpackError> {
    let packed = begun.iter().filter(|(layer, head)| is_packed(layer, head));
    let packed: Vec<_> = packed.map(|(layer, _)| *layer).collect();
    // The content of an only one is read in any case.
    let packed = if packed.len() > 1 { with_files(&packed, blob)? } else { packed };
    let found = match packed.as_slice() {
        [layer] => return Ok(Carrier::Packed(layer)),
        [] => without_wasm(manifest, begun),
        _ => several_archives(manifest),
    };
    let kind = known_kind(manifest).map_or(found, str::to_owned);
    Err(manifest.no_wasm(&kind).into())
}

fn is_packed(layer: &Descriptor, head: &[u8]) -> bool {
    match Kind::of(head) {
        Kind::Gzip | Kind::Zstd | Kind::Tar => true,
        Kind::Wasm => false,
        // Tars of the oldest form do not say that they are.
        Kind::Other => is_tar_type(&layer.media_type) && layer.size > EMPTY_TAR,
    }
}

/// Returns the layers that are not empty.
fn with_files<'a>(
    layers: &[&'a Descriptor],
    blob: &dyn Fn(&Digest) -> PathBuf,
) -> Result<Vec<&'a Descriptor>, UnpackError> {
    let mut filled = Vec::new();
    for layer in layers {
        if !is_without_files(&blob(&layer.digest), layer)? {
            filled.push(*layer);
        }
    }
    Ok(filled)
}

/// Describes an artifact none of whose layers is WebAssembly or can have it packed in it.
fn without_wasm(manifest: &ImageManifest, begun: &[Begun<'_>]) -> String {
    let whole = kind_of_whole(manifest);
    match begun.first() {
        Some((_, head)) if whole != IMAGE => describe(head),
        _ => format!("{whole} without WebAssembly"),
    }
}

fn head(path: &Path) -> Result<Vec<u8>, UnpackError> {
    let failed = |source| UnpackError::Io { path: path.to_owned(), source };
    let (file, _) = open_regular(path).map_err(failed)?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}
