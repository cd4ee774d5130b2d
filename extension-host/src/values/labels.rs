//! The names inside of types: cases, flags and fields.

use wasmtime::component::{Type, Val};

/// Returns the name of a WAVE label: a `%` keeps it from being a keyword and is not part of it.
pub(crate) fn name_of_label(label: &str) -> &str {
    label.strip_prefix('%').unwrap_or(label)
}

/// Returns the name if it is one of these.
pub(crate) fn known(name: &str, names: &[&str]) -> Result<String, String> {
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(unknown_name(name, names.iter().copied()))
    }
}

pub(crate) fn unknown_name<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.map(|name| format!("`{name}`")).collect();
    format!("`{}` is none of {}", name.escape_debug(), known.join(", "))
}

/// The fields of a record, as they come in.
pub(crate) struct Fields<'t> {
    types: &'t [(String, Type)],
    values: Vec<Option<Val>>,
}

impl<'t> Fields<'t> {
    pub(crate) fn new(types: &'t [(String, Type)]) -> Self {
        Self { types, values: types.iter().map(|_| None).collect() }
    }

    /// Takes the value of a field, which the record must have and which may come once.
    pub(crate) fn put(
        &mut self,
        name: &str,
        value: impl FnOnce(&'t Type) -> Result<Val, String>,
    ) -> Result<(), String> {
        let at = self.types.iter().position(|(field, _)| field == name);
        let at = at.ok_or_else(|| format!("there is no field `{}`", name.escape_debug()))?;
        let value = value(&self.types[at].1).map_err(|reason| format!(".{name}: {reason}"))?;
        match self.values[at].replace(value) {
            None => Ok(()),
            Some(_) => Err(format!("the field `{name}` is given twice")),
        }
    }

    /// Returns the record. Options may be missing.
    pub(crate) fn finish(self) -> Result<Val, String> {
        let field = |((name, ty), value): (&(String, Type), Option<Val>)| match (value, ty) {
            (Some(value), _) => Ok((name.clone(), value)),
            (None, Type::Option(_)) => Ok((name.clone(), Val::Option(None))),
            (None, _) => Err(format!("the field `{name}` is missing")),
        };
        self.types.iter().zip(self.values).map(field).collect::<Result<_, _>>().map(Val::Record)
    }
}
