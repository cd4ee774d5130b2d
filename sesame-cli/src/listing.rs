//! The listings: their columns, and the order in which columns go where a terminal is narrow.

/// A column of a listing.
#[derive(Debug)]
pub struct Column {
    /// The name, as `--columns` takes it and, in capitals, as the title.
    pub name: &'static str,
    /// The columns with the highest rank go first; those with rank 0 stay.
    pub rank: u8,
    /// How its cells become narrower.
    pub fit: Fit,
}

/// How the cells of a column become narrower before a column goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Not at all, but for a name that is longer than a third of the terminal.
    Whole,
    /// By leaving out the middle: references and paths.
    Middle,
    /// By breaking lines between words.
    Words,
}

/// A listing, by its columns. The first has the names that `-o name` prints.
pub trait Listing {
    /// The columns in the order in which they are shown.
    const COLUMNS: &'static [Column];
}

const fn whole(name: &'static str, rank: u8) -> Column {
    Column { name, rank, fit: Fit::Whole }
}

const fn middle(name: &'static str, rank: u8) -> Column {
    Column { name, rank, fit: Fit::Middle }
}

const fn words(name: &'static str, rank: u8) -> Column {
    Column { name, rank, fit: Fit::Words }
}

/// Defines a listing with its columns.
macro_rules! listing {
    ($(#[$doc:meta])* $name:ident: $($column:expr),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Listing for $name {
            const COLUMNS: &'static [Column] = &[$($column),+];
        }
    };
}

listing! {
    /// `list`
    Extensions:
    whole("name", 0), whole("version", 1), middle("reference", 2), words("capabilities", 3),
    words("limits", 4), words("state", 0),
}

listing! {
    /// `history`
    Generations:
    whole("generation", 0), whole("time", 0), words("reason", 1), whole("version", 0),
    middle("reference", 2), middle("signer", 3), whole("current", 0),
}

listing! {
    /// `outdated`
    Freshness:
    whole("name", 0), whole("installed", 0), whole("newest", 0), words("state", 0),
}

listing! {
    /// `update`
    Updates:
    whole("name", 0), middle("from", 2), middle("to", 1), words("state", 0), words("requests", 3),
}

listing! {
    /// `sync`
    Steps:
    whole("name", 0), middle("reference", 1), words("state", 0), words("requests", 2),
}

listing! {
    /// `activity`
    Activity:
    whole("time", 0), whole("extension", 0), whole("function", 1), whole("outcome", 0),
    whole("fuel", 4), whole("memory", 4), words("touched", 0), whole("kind", 3),
}

listing! {
    /// `verify`
    Checks:
    middle("name", 0), whole("state", 0), words("findings", 0), words("signature", 1),
}

listing! {
    /// `doctor`
    Diagnoses:
    whole("check", 0), whole("state", 0), words("finding", 0), words("fix", 1),
}

listing! {
    /// `gc`
    Collected:
    whole("name", 0), whole("generation", 0), whole("state", 0),
}

listing! {
    /// `trust list`
    Signers:
    whole("kind", 0), middle("place", 0), middle("signer", 0), middle("issuer", 2),
    whole("since", 1),
}

listing! {
    /// `set --list`
    Settings:
    whole("key", 0), words("value", 0), words("type", 3), words("default", 2),
    words("description", 1),
}

listing! {
    /// `config show`
    Configuration:
    words("key", 0), words("value", 0), middle("origin", 1),
}

listing! {
    /// `registry tags`
    Tags: whole("tag", 0)
}

listing! {
    /// `registry list`
    Logins: whole("registry", 0), middle("store", 0)
}

listing! {
    /// `secret list`
    Secrets: whole("secret", 0)
}

listing! {
    /// `storage`
    StoredKeys: whole("key", 0), whole("size", 0)
}

listing! {
    /// `list --orphans`
    Orphans: middle("identity", 0), whole("size", 0), middle("path", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(columns: &[Column]) {
        assert!(columns.iter().any(|column| column.rank == 0), "{columns:?}");
        let mut names: Vec<_> = columns.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), columns.len(), "{columns:?}");
    }

    /// A listing has at least one column that always stays, and each name once.
    #[test]
    fn listings_keep_a_column() {
        for columns in [
            Extensions::COLUMNS,
            Generations::COLUMNS,
            Freshness::COLUMNS,
            Updates::COLUMNS,
            Steps::COLUMNS,
            Activity::COLUMNS,
            Checks::COLUMNS,
            Diagnoses::COLUMNS,
            Collected::COLUMNS,
            Signers::COLUMNS,
            Settings::COLUMNS,
            Configuration::COLUMNS,
            Tags::COLUMNS,
            Logins::COLUMNS,
            Secrets::COLUMNS,
            StoredKeys::COLUMNS,
            Orphans::COLUMNS,
        ] {
            check(columns);
        }
    }
}
