//! `sesame schema`

use core_types::ErrorKind;

use crate::context::Context;
use crate::failure::Failure;
use crate::outcome::Outcome;
use crate::render;

/// Returns the JSON Schema of this name, or the names of all.
pub fn run(context: &Context, name: Option<&str>) -> Result<Outcome, Failure> {
    let Some(name) = name else {
        context.status("print one with: sesame schema NAME");
        return Ok(Outcome::Schemas(render::schema_names().map(str::to_owned).collect()));
    };
    let schema = render::schema(name).ok_or_else(|| {
        Failure::message(ErrorKind::NotFound, format!("there is no schema `{name}`"))
            .with_hint("list all: sesame schema")
    })?;
    Ok(Outcome::Schema(Box::new(schema)))
}
