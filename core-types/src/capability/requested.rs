//! The grants that the author of an extension asks for, in `extension.toml`.

use serde::de::{self, Deserialize, Deserializer};

use crate::capability::grant::Grant;
use crate::capability::reader::{Remark, TableVisitor};
use crate::capability::set::Capabilities;

/// The longest reason, in characters: one line of a terminal and a half.
pub(crate) const MAX_REASON: usize = 120;

/// A grant that an author asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct RequestedGrant {
    /// The grant.
    pub grant: Grant,
    /// Whether the extension works without it.
    #[serde(rename = "optional")]
    pub is_optional: bool,
    /// Why it asks, in one line for the person who decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Everything that an author asks for: the `[capabilities]` of an `extension.toml`.
///
/// An entry can be a table with `optional = true`, for an extension that works without it, and with
/// a `reason` in one line. A name of a secret, a topic or the like stands under `name` then.
///
/// ```
/// let requested: core_types::RequestedCapabilities = core_types::parse_toml(
///     r#"
///     config-read = true
///     notification = { optional = true, reason = "tells when it begins to rain" }
///     network = ["api.example.com", { host = "tiles.example.com", optional = true }]
///     secret-read = [{ name = "token", reason = "the service wants a login" }]
///     "#,
/// )?
/// .value;
/// let optional = requested.iter().filter(|request| request.is_optional);
/// let shown: Vec<_> = optional.map(|request| request.grant.to_string()).collect();
/// assert_eq!(shown, ["notification", "network=tiles.example.com"]);
/// # Ok::<(), core_types::TomlProblem>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedCapabilities(Vec<RequestedGrant>);

impl RequestedGrant {
    /// Makes a request that the extension needs, without a reason.
    pub fn required(grant: Grant) -> Self {
        Self { grant, is_optional: false, reason: None }
    }
}

impl RequestedCapabilities {
    /// Iterates over the requests, in the order of the documentation.
    pub fn iter(&self) -> std::slice::Iter<'_, RequestedGrant> {
        self.0.iter()
    }

    /// Returns the capabilities that it would have with everything that it asks for.
    pub fn all(&self) -> Capabilities {
        self.0.iter().map(|request| request.grant.clone()).collect()
    }
}

impl IntoIterator for RequestedCapabilities {
    type Item = RequestedGrant;
    type IntoIter = std::vec::IntoIter<RequestedGrant>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de> Deserialize<'de> for RequestedCapabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut requests = Vec::new();
        deserializer.deserialize_map(TableVisitor(|grant, remark: Remark| {
            let (is_optional, reason) = (remark.is_optional, remark.reason);
            requests.push(RequestedGrant { grant, is_optional, reason });
        }))?;
        if let Some(reason) = requests.iter().filter_map(|it| it.reason.as_ref()).find(is_unfit) {
            return Err(de::Error::custom(format!(
                "the reason `{}` is not one line of at most {MAX_REASON} characters",
                reason.escape_debug()
            )));
        }
        requests.sort_by_key(|request| request.grant.capability());
        Ok(Self(requests))
    }
}

/// Tells whether a reason could be taken for something else: it is shown beside a question that a
/// person answers.
fn is_unfit(reason: &&String) -> bool {
    reason.trim().is_empty()
        || reason.chars().count() > MAX_REASON
        || reason.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_toml;

    fn requested(text: &str) -> Vec<String> {
        let requested = parse_toml::<RequestedCapabilities>(text).expect(text).value;
        let shown = |request: RequestedGrant| {
            let optional = if request.is_optional { " (optional)" } else { "" };
            let reason = request.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("{}{optional}{reason}", request.grant)
        };
        requested.into_iter().map(shown).collect()
    }

    /// Every form in which an author can say that a request is optional.
    #[test]
    fn optional_stands_in_every_form() {
        let text = r#"
env = ["LANG", { name = "TZ", optional = true }]
config-read = { keys = ["a"], optional = true, reason = "r" }
clipboard-write = { reason = "copies the result" }
storage = { max_kib = 512, optional = true, reason = "keeps the last answer" }
notification = { optional = true }
filesystem = { read = ["~/a", { path = "~/b", guest = "/b", reason = "own" }], optional = true }
network = [{ host = "a.example", allow_private = true, optional = true, reason = "r" }]
"#;
        let expected = [
            "config-read=a (optional): r",
            "notification (optional)",
            "clipboard-write: copies the result",
            "storage=512KiB (optional): keeps the last answer",
            "env=LANG",
            "env=TZ (optional)",
            "network=a.example+private (optional): r",
            "filesystem=read:~/a (optional)",
            "filesystem=read:~/b::/b (optional): own",
        ];
        assert_eq!(requested(text), expected);
    }

    /// What authors wrote before there were optional requests means the same.
    #[test]
    fn plain_requests_are_required() {
        let text = "notification = true\nnetwork = [\"a.example\"]\nclipboard-write = false";
        assert_eq!(requested(text), ["notification", "network=a.example"]);
    }

    /// A reason is one line, and the marks of an author are not those of a manifest.
    #[test]
    fn misplaced_reason_is_refused() {
        let long = format!("notification = {{ reason = \"{}\" }}", "x".repeat(MAX_REASON + 1));
        for bad in [
            "notification = { reason = \"two\\nlines\" }",
            "notification = { reason = \" \" }",
            "notification = { reason = 1 }",
            "notification = { optional = \"yes\" }",
            "notification = {}",
            "notification = { keys = [\"a\"] }",
            "secret-read = [{ optional = true }]",
            &long,
        ] {
            assert!(parse_toml::<RequestedCapabilities>(bad).is_err(), "{bad}");
        }
        for bad in [
            "notification = { optional = true }",
            "network = [{ host = \"a.example\", reason = \"r\" }]",
            "secret-read = [{ name = \"token\" }]",
            "filesystem = { read = [\"~/a\"], optional = true }",
        ] {
            let error = parse_toml::<Capabilities>(bad).expect_err(bad).to_string();
            assert!(error.contains("`extension.toml`"), "{error}");
        }
    }
}
