//! `sesame wasi test`

use std::path::Path;

use core_types::ExtensionName;

use crate::authoring::read_binary;
use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::suffiks::{ExtensionDocument, test_files};

/// Runs every test file, up to the first test that fails.
pub fn run(context: &Context, module: &Path, tests: &Path, ext: &Path) -> Result<Outcome, Failure> {
    let document = ExtensionDocument::read(ext)?;
    let name: ExtensionName = "extension-under-test".parse().unwrap_or_default();
    let built = context.manager()?.examine_built(&name, read_binary(module)?)?;
    test_files::test(&built, &document, tests).map(Outcome::Tested)
}
