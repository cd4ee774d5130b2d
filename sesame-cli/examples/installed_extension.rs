//! A program that calls an extension which `sesame` installed, with everything in force that is in force for `sesame`
//! itself: the policy, the grants of the session, the activity log.
//!
//! `cargo run -p sesame-cli --example installed_extension -- NAME FUNCTION [ARGUMENT]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use core_types::ExtensionName;
use directories::ProjectDirs;
use extension_depot::{Depot, Opened, Places, UserConfig};
use extension_host::{Arguments, CallReport, Code, CodeCache, CodeKey, Host};

/// An extension that is opened anew for each call: what was revoked, disabled or ended since the last one is felt.
struct Installed {
    name: ExtensionName,
    depot: Depot,
    host: Host,
    code: Code,
}

impl Installed {
    fn open(name: ExtensionName, places: Places) -> Result<Self, Box<dyn Error>> {
        let depot = Arc::new(Depot::new(places.clone()));
        let opened = depot.open(&name, &UserConfig::load(&places)?)?;
        let (noting, noted, pinned) = (depot, name.clone(), opened.installed.artifact.digest);
        let host = Host::new()?.observed_by(move |call| {
            if let Err(error) = noting.note_call(&noted, &pinned, call) {
                eprintln!("this call is not in the activity log: {error}");
            }
        });
        let code = load(&host, &places, &opened)?;
        Ok(Self { name, depot: Depot::new(places), host, code })
    }

    async fn call(&self, function: &str, arguments: &Arguments) -> Result<CallReport, Box<dyn Error>> {
        let opened = self.depot.open(&self.name, &UserConfig::load(self.depot.places())?)?;
        Ok(self.host.extension(&self.code, opened.permissions)?.call(function, arguments).await)
    }
}

/// Code that was compiled when the extension was installed, or that is compiled now, in this process.
fn load(host: &Host, places: &Places, opened: &Opened) -> Result<Code, Box<dyn Error>> {
    let binary = &opened.installed.binary;
    match host.load(&CodeCache::new(places.code()), &CodeKey::new(&binary.digest)) {
        Ok(code) => Ok(code),
        Err(_) => Ok(host.compile(&extension_depot::read_blob(&binary.path, &binary.digest, 64 << 20)?)?),
    }
}

fn places() -> Option<Places> {
    let directories = ProjectDirs::from("", "", "pds")?;
    Some(Places {
        config: directories.config_dir().to_owned(),
        state: directories.state_dir()?.to_owned(),
        cache: directories.cache_dir().to_owned(),
        runtime: directories.runtime_dir().map(Path::to_owned),
        system_policy: PathBuf::from("/etc/pds/policy.toml"),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(name), Some(function)) = (words.next(), words.next()) else {
        return Err("usage: installed_extension NAME FUNCTION [ARGUMENT]".into());
    };
    let arguments = Arguments::words(words);
    let installed = Installed::open(name.parse()?, places().ok_or("there is no home directory")?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Calls at once do not see each other: each has an instance of its own.
        let (first, second) =
            tokio::join!(installed.call(&function, &arguments), installed.call(&function, &arguments));
        for report in [first?, second?] {
            println!("{}", report.outcome.map_or_else(|error| error.to_string(), |returned| returned.to_text()));
        }
        // A call that nobody waits for any more ends, and is in the log as cancelled.
        let unwanted = tokio::time::timeout(Duration::from_millis(50), installed.call(&function, &arguments)).await;
        println!("{}", if unwanted.is_err() { "cancelled" } else { "it was too quick to be cancelled" });
        Ok(())
    })
}
