//! A program that offers extensions with backends and an interface of its own, and without any of
//! sesame's files.
//!
//! `cargo run -p extension-host --example own_backends`
#![expect(clippy::print_stdout, reason = "the example shows what happens")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use core_types::{Capabilities, Owner, parse_toml};
use extension_host::{
    Arguments, BackendError, Backends, Host, Notification, Notifier, Permissions,
};

/// Shows notifications in the program's own window, so to speak.
struct Window;

impl Notifier for Window {
    fn show(&self, owner: &Owner, notification: &Notification) -> Result<(), BackendError> {
        println!("[{}] {}: {}", owner.name, notification.summary, notification.body);
        Ok(())
    }
}

/// The user's grants to this extension. Everything else is refused.
const GRANTED: &str = r#"
    config-read = true
    secret-read = ["token"]
    secret-write = ["token"]
    notification = true
    clipboard-write = true
    ipc-publish = ["greeting.*"]
"#;

/// An extension that asks this program for a number.
const COUNTER: &str = r#"(component
    (import "acme:shop/stock@1.0.0" (instance $stock (export "count" (func (result u32)))))
    (core func $count (canon lower (func $stock "count")))
    (core module $m (import "" "count" (func $count (result i32))) (func (export "f") (result i32) (call $count)))
    (core instance $i (instantiate $m (with "" (instance (export "count" (func $count))))))
    (func (export "how-many") (result u32) (canon lift (core func $i "f"))))"#;

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let host = Host::new()?
        .with_backends(Backends { notifications: Arc::new(Window), ..Backends::default() })
        .observed_by(|call| println!("({} {}: {:?})", call.extension, call.function, call.outcome))
        .with_interface("acme:shop/stock", "1.0.0", move |linker| {
            let counter = counter.clone();
            let count = move |_: extension_host::wasmtime::StoreContextMut<'_, _>, (): ()| {
                Ok((counter.fetch_add(1, Ordering::Relaxed) + 1,))
            };
            linker.instance("acme:shop/stock@1.0.0")?.func_wrap("count", count)
        });

    // A backend of ours, for the user's grants.
    let capabilities: Capabilities = parse_toml(GRANTED)?.value;
    let desktop = host.compile(include_bytes!("../../tests/guests/built/desktop.wasm"))?;
    let extension = host.extension(&desktop, Permissions::of(capabilities))?;
    extension
        .call_blocking("notify", &Arguments::words(["Tea", "It has drawn for four minutes."]))
        .outcome?;
    let denied = extension.call_blocking("read-secret", &Arguments::words(["other"])).outcome?;
    println!("{}", denied.to_text());

    // An interface of ours, for every extension that imports it.
    let extension =
        host.extension(&host.compile(&wat::parse_str(COUNTER)?)?, Permissions::default())?;
    for _ in 0..2 {
        println!(
            "{}",
            extension.call_blocking("how-many", &Arguments::words::<&str>([])).outcome?.to_text()
        );
    }
    Ok(())
}
