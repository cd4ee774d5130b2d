//! The shared parts of this crate's tests.
#![allow(dead_code, reason = "each test uses a part of it")]

use core_types::{Capabilities, Digest, ExtensionName, OciReference};
use extension_depot::registry::{Registry, RegistryError, Resolved, Settings};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{Basis, CommitError, Depot, InstallPlan, Places, Reason, Staged};
use tempfile::TempDir;

/// A depot in a directory of its own.
pub struct Home {
    pub depot: Depot,
    pub directory: TempDir,
}

pub fn home() -> Home {
    let directory = tempfile::tempdir().expect("a directory");
    Home { depot: Depot::new(Places::below(directory.path())), directory }
}

/// Returns the smallest component, with padding that makes its bytes unlike others.
pub fn component(padding: &str) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0\0".to_vec();
    bytes.push(u8::try_from(padding.len() + 2).expect("short"));
    bytes.push(1);
    bytes.push(b'p');
    bytes.extend_from_slice(padding.as_bytes());
    bytes
}

pub fn name(text: &str) -> ExtensionName {
    text.parse().expect(text)
}

pub fn reference(text: &str) -> OciReference {
    text.parse().expect(text)
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let value = runtime.block_on(future);
    runtime.shutdown_background();
    value
}

/// Puts an image manifest with one layer into a registry and gives back its digest.
pub fn publish(
    registry: &MemoryRegistry,
    repository: &str,
    tag: &str,
    layer_type: &str,
    binary: &[u8],
) -> Digest {
    let manifest = manifest(registry, layer_type, binary, "{}");
    registry.put_manifest(
        repository,
        tag,
        "application/vnd.oci.image.manifest.v1+json",
        manifest.as_bytes(),
    )
}

/// Returns an image manifest whose blobs are in the registry.
pub fn manifest(
    registry: &MemoryRegistry,
    layer_type: &str,
    binary: &[u8],
    annotations: &str,
) -> String {
    let config = registry.put_blob(b"{}");
    let layer = registry.put_blob(binary);
    format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"{layer_type}","digest":"{layer}","size":{}}}],"annotations":{annotations}}}"#,
        binary.len()
    )
}

pub fn resolve(text: &str) -> Result<Resolved, RegistryError> {
    block_on(Registry::new(Settings::default()).resolve(&reference(text)))
}

pub fn stage(home: &Home, text: &str) -> Result<Staged, RegistryError> {
    stage_with(home, text, Settings::default())
}

pub fn stage_with(home: &Home, text: &str, settings: Settings) -> Result<Staged, RegistryError> {
    let registry = Registry::new(settings);
    block_on(async {
        let resolved = registry.resolve(&reference(text)).await?;
        registry.stage(&home.depot, &resolved, &|_| {}).await
    })
}

/// Reads the basis of a decision to install something under its default name or another.
pub fn basis(home: &Home, name: &ExtensionName, staged: &Staged) -> Basis {
    home.depot.basis(name, &staged.reference).expect("readable")
}

/// Returns an order as `install` gives it.
pub fn order<'a>(
    basis: &'a Basis,
    source: &'a str,
    capabilities: Option<&'a Capabilities>,
) -> InstallPlan<'a> {
    InstallPlan {
        basis,
        source,
        capabilities,
        reason: Reason::Installed,
        evidence: None,
        seed: None,
        claimed: None,
    }
}

/// Installs a staged artifact under a name, with the grants of the manifest or none.
pub fn install_staged(
    home: &Home,
    staged: &Staged,
    name: &ExtensionName,
) -> Result<(), CommitError> {
    home.depot
        .lock()
        .expect("free")
        .install(staged, &order(&basis(home, name, staged), "a test", None))
}

/// Stages and installs under the default name, with nothing granted.
pub fn install(home: &Home, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let staged = stage(home, text)?;
    let basis = basis(home, &staged.reference.default_name()?, &staged);
    Ok(home
        .depot
        .lock()
        .expect("free")
        .install(&staged, &order(&basis, text, Some(&Capabilities::default())))?)
}
