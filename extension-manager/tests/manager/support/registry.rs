//! A registry with small extensions in it, and what talks to it.

use core_types::{Digest, ExtensionName, OciReference};
use extension_depot::registry::{Registry, Settings};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{Description, EffectiveConfig, Publication, Source};
use extension_manager::{
    Consent, InstallError, InstallOptions, InstallRequest, Installation, Installer, LazyRuntime,
    Manager, Network,
};

/// A registry, and the client and the runtime of a process.
pub struct Remote {
    registry: MemoryRegistry,
    client: Registry,
    runtime: LazyRuntime,
}

/// A component whose bytes are those of this version, with requests of its author.
pub fn component(version: u8, requests: &str) -> Vec<u8> {
    let manifest = format!("[capabilities]\n{requests}\n");
    test_support::asking(&test_support::component(version), &manifest)
}

impl Remote {
    pub fn start() -> Self {
        let (client, runtime) = (Registry::new(Settings::default()), LazyRuntime::default());
        Self { registry: MemoryRegistry::start().expect("a registry"), client, runtime }
    }

    /// The reference of something in the registry.
    pub fn reference(&self, rest: &str) -> OciReference {
        format!("{}/my-org/{rest}", self.registry.host()).parse().expect(rest)
    }

    /// Publishes a component, and moves an existing tag.
    pub fn publish(&self, rest: &str, binary: &[u8]) -> Digest {
        let description = Description { title: "x.wasm".to_owned(), ..Description::default() };
        let publication = Publication::cncf(binary.to_vec(), &description).expect("described");
        let digest = publication.digest();
        let reference = self.reference(rest);
        let publishing = self.client.publish(&reference, publication, true);
        self.runtime.wait_for(publishing).expect("a runtime").expect("pushed");
        digest
    }

    /// How many requests the registry has had.
    pub fn requests(&self) -> usize {
        self.registry.seen().len()
    }

    /// What changes extensions, with this person.
    pub fn installer<'a>(
        &'a self,
        (manager, config): (&'a Manager, &'a EffectiveConfig),
        consent: &'a dyn Consent,
    ) -> Installer<'a> {
        let network = Network { registry: &self.client, runtime: &self.runtime };
        Installer { manager, config, network, consent }
    }
}

/// Installs a source on these terms, under the name that it has.
pub fn install(
    installer: &Installer<'_>,
    source: &str,
    options: InstallOptions<'_>,
) -> Result<Installation, InstallError> {
    install_as(installer, source, None, options)
}

/// Installs a source on these terms, under a name.
pub fn install_as(
    installer: &Installer<'_>,
    source: &str,
    name: Option<&ExtensionName>,
    options: InstallOptions<'_>,
) -> Result<Installation, InstallError> {
    let source: Source = source.parse().expect("a source");
    let request = InstallRequest {
        source: &source,
        name,
        version: None,
        sha256: None,
        allow_plain_http: false,
        options,
    };
    installer.install(&request)
}
