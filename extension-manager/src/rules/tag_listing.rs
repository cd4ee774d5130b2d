//! The tags that repositories had when they were listed last: for completion alone, which asks no
//! registry. Losing them costs nothing, so nothing that goes wrong with them is worth a word.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use core_types::OciQuery;
use extension_depot::{Places, digest_of, read_regular};

/// The number of tags to keep of a repository: more than a person chooses from.
const MAX_TAGS: usize = 500;
/// The number of repositories to offer.
const MAX_REPOSITORIES: usize = 200;
/// The largest file of tags, in bytes; a tag has at most 128.
const MAX_FILE: u64 = 128 << 10;

/// Keeps the tags of a repository, the newest first.
pub fn remember_tags(places: &Places, repository: &OciQuery, tags: &[String]) {
    let repository = format!("{}/{}", repository.registry(), repository.repository());
    let _ = write(places, &repository, tags);
}

fn write(places: &Places, repository: &str, tags: &[String]) -> io::Result<()> {
    let directory = places.tag_listings();
    fs::create_dir_all(&directory)?;
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(&directory)?;
    writeln!(file, "{repository}")?;
    tags.iter().take(MAX_TAGS).try_for_each(|tag| writeln!(file, "{tag}"))?;
    file.persist(listing(places, repository))?;
    Ok(())
}

/// Returns the tags of a repository as it is typed.
pub fn known_tags(places: &Places, repository: &str) -> Vec<String> {
    let typed: Result<OciQuery, _> = repository.parse();
    let Ok(repository) = typed.map(|query| format!("{}/{}", query.registry(), query.repository()))
    else {
        return Vec::new();
    };
    lines(listing(places, &repository)).into_iter().skip(1).collect()
}

/// Returns the repositories with known tags.
pub fn known_repositories(places: &Places) -> Vec<String> {
    let entries =
        fs::read_dir(places.tag_listings()).into_iter().flatten().flatten().take(MAX_REPOSITORIES);
    let mut repositories: Vec<_> =
        entries.filter_map(|entry| lines(entry.path()).into_iter().next()).collect();
    repositories.sort();
    repositories
}

fn listing(places: &Places, repository: &str) -> PathBuf {
    places.tag_listing(&digest_of(repository.as_bytes()))
}

fn lines(path: PathBuf) -> Vec<String> {
    let text = read_regular(&path, MAX_FILE)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_tags_are_found_again() {
        let home = tempfile::tempdir().expect("a directory");
        let places = Places::below(home.path());
        let repository: OciQuery = "ghcr.io/o/x".parse().expect("a repository");
        assert!(
            known_tags(&places, "ghcr.io/o/x").is_empty() && known_repositories(&places).is_empty()
        );
        remember_tags(&places, &repository, &["2.0.0".to_owned(), "1.0.0".to_owned()]);
        remember_tags(&places, &repository, &["2.1.0".to_owned(), "2.0.0".to_owned()]);
        assert_eq!(known_tags(&places, "ghcr.io/o/x"), ["2.1.0", "2.0.0"]);
        assert_eq!(known_repositories(&places), ["ghcr.io/o/x"]);
        assert!(known_tags(&places, "../x").is_empty());
    }

    /// A repository with more tags than a person chooses from is kept in part, and a file that is
    /// larger than any of ours is not read.
    #[test]
    fn long_listing_is_cut() {
        let home = tempfile::tempdir().expect("a directory");
        let places = Places::below(home.path());
        let repository: OciQuery = "ghcr.io/o/x".parse().expect("a repository");
        let tags: Vec<_> = (0..MAX_TAGS + 10).map(|tag| format!("1.{tag}.0")).collect();
        remember_tags(&places, &repository, &tags);
        assert_eq!(known_tags(&places, "ghcr.io/o/x"), tags[..MAX_TAGS]);
        let large = usize::try_from(MAX_FILE).expect("a size") + 1;
        fs::write(listing(&places, "ghcr.io/o/x"), vec![b'\n'; large]).expect("written");
        assert!(known_tags(&places, "ghcr.io/o/x").is_empty());
    }
}
