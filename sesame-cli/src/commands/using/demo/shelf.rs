//! The extensions in the registry of the demonstration.

use std::collections::BTreeMap;

use core_types::{ErrorKind, OciReference};
use extension_depot::registry::{Registry, Settings};
use extension_depot::serve::MemoryRegistry;
use extension_depot::{Description, Publication};
use extension_host::with_author_manifest;

use crate::context::Context;
use crate::failure::Failure;

/// An extension as its author publishes it.
struct Product {
    repository: &'static str,
    version: &'static str,
    description: &'static str,
    binary: &'static [u8],
    /// The author's manifest to put into it.
    manifest: Option<&'static str>,
}

/// A newer note keeper, which asks for more than its predecessor.
const ASKS_FOR_MORE: &str = r#"
[extension]
name = "daily-note"
version = "0.2.0"

[capabilities]
config-read = true
filesystem = { write = [{ path = "~/Notes", guest = "/notes" }] }
network = ["notes.example.com"]
"#;

const DAILY_NOTE: &[u8] = include_bytes!("../../../../../tests/guests/built/daily-note.wasm");

const SHELF: [Product; 4] = [
    Product {
        repository: "greeting-extension",
        version: "0.1.0",
        description: "Greets people",
        binary: include_bytes!("../../../../../tests/guests/built/greeting.wasm"),
        manifest: None,
    },
    Product {
        repository: "list-tools",
        version: "1.0.0",
        description: "Adds numbers and joins words",
        binary: include_bytes!("../../../../../tests/guests/built/echo.wasm"),
        manifest: None,
    },
    Product {
        repository: "daily-note",
        version: "0.1.0",
        description: "Keeps one note a day",
        binary: DAILY_NOTE,
        manifest: Some(include_str!("../../../../../extensions/daily-note/extension.toml")),
    },
    Product {
        repository: "daily-note",
        version: "0.2.0",
        description: "Keeps one note a day, on a server too",
        binary: DAILY_NOTE,
        manifest: Some(ASKS_FOR_MORE),
    },
];

/// Publishes every extension over HTTP, as their authors would.
pub fn fill(context: &Context, registry: &MemoryRegistry) -> Result<(), Failure> {
    let client = Registry::new(Settings::default());
    for product in &SHELF {
        let reference = product.reference(&registry.host())?;
        context.wait_for(client.publish(&reference, product.publication()?, false))??;
    }
    Ok(())
}

impl Product {
    fn reference(&self, host: &str) -> Result<OciReference, Failure> {
        let Self { repository, version, .. } = self;
        format!("{host}/my-org/{repository}:{version}")
            .parse()
            .map_err(|error: core_types::ReferenceError| Failure::new(ErrorKind::Failure, error))
    }

    fn publication(&self) -> Result<Publication, Failure> {
        let annotations = [("version", self.version), ("description", self.description)];
        let annotations = annotations
            .map(|(key, value)| (format!("org.opencontainers.image.{key}"), value.to_owned()));
        let description = Description {
            title: format!("{}.wasm", self.repository),
            annotations: BTreeMap::from(annotations),
            ..Description::default()
        };
        let binary = match self.manifest {
            Some(manifest) => with_author_manifest(self.binary, manifest)?,
            None => self.binary.to_vec(),
        };
        Ok(Publication::cncf(binary, &description).map_err(std::io::Error::from)?)
    }
}
