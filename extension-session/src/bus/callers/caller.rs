//! A caller, and its rights.

use core_types::{ApplicationId, Service};
use extension_host::ExportedFunction;

use crate::bus::bus_error::BusError;

/// A program that sent a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bus) struct Caller {
    /// Its unique name on the bus.
    pub name: String,
    /// The path of its executable, as far as it can be seen. Nothing is decided by it.
    pub executable: Option<String>,
    /// Its rights.
    pub standing: Standing,
}

/// The rights of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bus) enum Standing {
    /// Everything: it is a program of the user outside of a sandbox.
    Outside,
    /// It is in a sandbox, and reaches functions that are opened to its application. Without an id
    /// there are none.
    Sandboxed(Option<ApplicationId>),
}

impl Caller {
    /// Refuses a caller in a sandbox.
    pub(in crate::bus) fn ensure_outside(&self) -> Result<(), BusError> {
        match &self.standing {
            Standing::Outside => Ok(()),
            Standing::Sandboxed(_) => {
                Err(BusError::refused("programs in a sandbox can only call functions"))
            }
        }
    }

    /// Tells whether it may call anything of an extension with this `[service]` table.
    pub(in crate::bus) fn reaches(&self, service: &Service) -> bool {
        let Standing::Sandboxed(application) = &self.standing else { return true };
        application.as_ref().is_some_and(|id| service.sandboxed.contains(id))
    }

    /// Tells whether it may call a function of an extension with this `[service]` table.
    fn may_call(&self, service: &Service, function: &str) -> bool {
        let is_open = |functions: &Vec<String>| functions.iter().any(|open| open == function);
        self.standing == Standing::Outside
            || self.reaches(service) && service.functions.as_ref().is_none_or(is_open)
    }

    /// Tells whether it may call an exported function, by either of its names.
    pub(in crate::bus) fn may_call_exported(
        &self,
        service: &Service,
        function: &ExportedFunction,
    ) -> bool {
        self.may_call(service, &function.name) || self.may_call(service, &function.qualified_name())
    }

    /// The refusal of a caller in a sandbox. It is the same for a closed and for a missing
    /// extension, so that it learns nothing of either.
    pub(in crate::bus) fn refusal() -> BusError {
        BusError::refused(
            "this is not open to programs in a sandbox: the user's manifest of the extension names \
             the application in `sandboxed` of [service], and the function in `functions`",
        )
    }

    /// Returns it in words for the activity log.
    pub(in crate::bus) fn described(&self) -> String {
        match &self.executable {
            Some(executable) => format!("{} {executable}", self.name),
            None => self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core_types::{Service, parse_toml};

    use super::{Caller, Standing};

    fn caller(standing: Standing) -> Caller {
        Caller { name: ":1.1".to_owned(), executable: None, standing }
    }

    fn service(text: &str) -> Service {
        parse_toml(text).expect(text).value
    }

    /// Only the user's manifest opens anything to a sandbox, and by the application's own id.
    #[test]
    fn sandbox_reaches_what_is_opened() {
        let maps = || Standing::Sandboxed("org.gnome.Maps".parse().ok());
        let closed = service("");
        let open = service("sandboxed = [\"org.gnome.Maps\"]");
        let narrow = service("sandboxed = [\"org.gnome.Maps\"]\nfunctions = [\"greet\"]");
        assert!(caller(Standing::Outside).may_call(&closed, "greet"));
        assert!(!caller(maps()).may_call(&closed, "greet"));
        assert!(caller(maps()).may_call(&open, "any"));
        assert!(caller(maps()).may_call(&narrow, "greet"));
        assert!(!caller(maps()).may_call(&narrow, "other"));
        assert!(!caller(Standing::Sandboxed(None)).may_call(&open, "any"));
        let other = caller(Standing::Sandboxed("org.gnome.Maps2".parse().ok()));
        assert!(!other.may_call(&open, "any") && other.ensure_outside().is_err());
    }
}
