//! Imports of a component and the interfaces that satisfy them: those of this host and of the
//! embedding program. Imports of other hosts are recognized and named.

mod foreign;
mod imports;
mod interface;
mod interfaces;
mod resolve;
mod signs;

pub use foreign::ForeignHost;
pub(crate) use foreign::of_namespace;
pub use imports::{Import, Refusal};
pub(crate) use imports::{imports, split_version};
pub(crate) use interface::EmbedderInterface;
pub(crate) use interface::{Interface, interface_table};
pub(crate) use resolve::{Linked, Ungranted, resolve};
