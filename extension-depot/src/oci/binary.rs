//! Finds the WebAssembly binary of an artifact.
//!
//! A media type that says WebAssembly is believed. Where none does, the bytes decide: plain tools
//! push a binary under the media type of an archive, and container tools put one into an archive.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use core_types::Digest;
use private_files::open_regular;

use crate::archives::file_kind::{EMPTY_TAR, Kind, describe, is_tar_type};
use crate::archives::unpack::{UnpackError, unpack};
use crate::oci::artifact_kind::{IMAGE, kind_of_whole, several_archives};
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
            Ok(unpack(&blob(&layer.digest), layer, kind_of_whole(manifest), &mut io::sink())?
                .digest)
        }
    }
}

/// Chooses the layer: by its media type, else the only one whose bytes are WebAssembly, else the
/// only one that something can be packed in.
pub(crate) fn carrier<'a>(
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
    let (file, _) = open_regular(path).map_err(failed)?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).map_err(failed)?;
    Ok(head)
}
