//! Commands about permissions: grants, what was refused and used, secrets, kept data, and trusted
//! signers.

pub mod activity;
pub mod events;
pub mod grants;
pub mod inspect;
pub mod secret;
pub mod storage;
pub mod trust;
