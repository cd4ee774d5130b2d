//! Commands about versions and sharing: newer and earlier versions, verification, bundles, lists,
//! and logins to registries.

pub mod bundle;
pub mod history;
pub mod login;
pub mod outdated;
pub mod sync;
pub mod verify;
