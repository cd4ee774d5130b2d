//! Imports of a component and what they are linked to: the interfaces of this host, those of the
//! embedding program, and the words for imports that the host refuses.

mod foreign;
mod imports;
mod interface;
mod interfaces;
mod resolve;

pub use foreign::ForeignHost;
pub(crate) use foreign::of_namespace;
pub use imports::{Import, Refusal};
pub(crate) use imports::{imports, split_version};
pub(crate) use interface::EmbedderInterface;
#[cfg(feature = "wasi-0-3")]
pub(crate) use interface::{Interface, interface_table};
pub(crate) use resolve::{Linked, Ungranted, resolve};
