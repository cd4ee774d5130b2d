//! Commands of authors, from a new project to a signed publication.

pub mod build;
pub mod dev;
pub mod new;
pub mod publish;
pub mod sign;
pub mod test;
pub mod trigger;
