//! Failures of the host, of the code of an extension, and of the session's services. Imports that an
//! extension does not get have a file of their own: which hint helps depends on all of them.

mod errors;
mod refused;

pub(super) use errors::directory_help;
