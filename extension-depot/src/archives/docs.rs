//! Pages of documentation that come with an extension: Markdown files in a gzipped tar.
//!
//! The tar is a stranger's. It is taken apart in memory and nothing of it is ever written to disk,
//! so that neither its paths nor its links nor its modes can do anything; anything but a plain
//! archive of pages is refused as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use crate::archives::entry::{clean_path, folded, plain_header, refused_kind, worded};

/// The most bytes of an archive when it is unpacked: pages are held in memory.
const MAX_UNPACKED: u64 = 16 << 20;
/// The most bytes of an archive as it is sent, as for everything that refers to an artifact.
const MAX_PACKED: u64 = 4 << 20;
/// The most bytes of one page: a book has about as many.
const MAX_PAGE: u64 = 1 << 20;
/// The most entries of an archive: manuals have some hundreds of pages.
const MAX_ENTRIES: usize = 2_000;
/// The ending of pages.
const PAGE: &str = ".md";

/// The pages of one extension, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Docs {
    pages: Vec<Page>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it is, such as `guide/first-steps.md`.
    pub path: String,
    /// What stands in it: Markdown of a stranger.
    pub text: String,
}

/// Why pages cannot be read or packed.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// It is not a gzipped tar, or damaged.
    #[error("the documentation is not a gzipped tar")]
    Archive(#[source] io::Error),
    /// It is larger than sesame takes.
    #[error("the documentation is too large: {what}")]
    TooLarge {
        /// The excess, and the limit.
        what: String,
    },
    /// An entry is neither a page nor a directory.
    #[error("the documentation has `{}`, which is {what}; only pages and directories can be in it", path.escape_debug())]
    Entry {
        /// Its path, as the archive has it.
        path: String,
        /// Its kind.
        what: &'static str,
    },
    /// A path that could lead elsewhere, or that another one could be taken for.
    #[error("the documentation has a page `{}`, whose path {problem}", path.escape_debug())]
    Path {
        /// The path, as the archive has it.
        path: String,
        /// The problem with it.
        problem: &'static str,
    },
    /// A page is not text.
    #[error("the page `{}` of the documentation is not UTF-8 text", path.escape_debug())]
    Text {
        /// Its path.
        path: String,
    },
    /// A directory of pages cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It does not have a page.
    #[error("`{}` has no pages: their names end in `{PAGE}`", path.display())]
    Empty {
        /// The directory.
        path: PathBuf,
    },
}

impl Docs {
    /// Takes an archive apart.
    ///
    /// # Errors
    /// When it is damaged, too large, or has anything but pages, other plain files and directories
    /// in it.
    pub fn unpack(archive: &[u8]) -> Result<Self, DocsError> {
        let mut unpacked = Vec::new();
        let bounded = MultiGzDecoder::new(archive).take(MAX_UNPACKED + 1);
        { bounded }.read_to_end(&mut unpacked).map_err(DocsError::Archive)?;
        if unpacked.len() as u64 > MAX_UNPACKED {
            return Err(DocsError::TooLarge {
                what: format!("more than {} MiB", MAX_UNPACKED >> 20),
            });
        }
        let mut collected = Collector::default();
        let mut tar = tar::Archive::new(unpacked.as_slice());
        let archive = |error| DocsError::Archive(worded(error));
        for entry in tar.entries().map_err(archive)? {
            collected.add(entry.map_err(archive)?)?;
        }
        Ok(Self::sorted(collected.pages))
    }

    /// Reads the pages below a directory. Links are not followed.
    ///
    /// # Errors
    /// When it cannot be read, has no pages, or unreadable pages: see [`Docs::unpack`].
    pub fn read(directory: &Path) -> Result<Self, DocsError> {
        let mut collected = Collector::default();
        collected.walk(directory, "")?;
        if collected.pages.is_empty() {
            return Err(DocsError::Empty { path: directory.to_owned() });
        }
        Ok(Self::sorted(collected.pages))
    }

    fn sorted(mut pages: Vec<Page>) -> Self {
        pages.sort_by(|a, b| a.path.cmp(&b.path));
        Self { pages }
    }

    /// Returns the archive of these pages, which [`Docs::unpack`] takes. The same pages make the
    /// same bytes.
    ///
    /// # Errors
    /// When the archive is larger than the limits of [`Docs::unpack`].
    pub fn pack(&self) -> Result<Vec<u8>, DocsError> {
        let archive = self.packed().map_err(DocsError::Archive)?;
        if archive.len() as u64 > MAX_PACKED {
            return Err(DocsError::TooLarge {
                what: format!("more than {} MiB packed", MAX_PACKED >> 20),
            });
        }
        Self::unpack(&archive)?;
        Ok(archive)
    }

    fn packed(&self) -> io::Result<Vec<u8>> {
        let mut tar =
            tar::Builder::new(GzBuilder::new().mtime(0).write(Vec::new(), Compression::best()));
        for page in &self.pages {
            let mut header = plain_header(page.text.len());
            tar.append_data(&mut header, &page.path, page.text.as_bytes())?;
        }
        let mut gzip = tar.into_inner()?;
        gzip.flush()?;
        gzip.finish()
    }

    /// Returns all pages, by path.
    pub fn pages(&self) -> &[Page] {
        &self.pages
    }

    /// Returns the page of this path, with or without its ending; `guide` is also `guide/index.md`.
    pub fn page(&self, path: &str) -> Option<&Page> {
        let path = path.trim_matches('/');
        let names = [path.to_owned(), format!("{path}{PAGE}"), format!("{path}/index{PAGE}")];
        names.iter().find_map(|name| self.pages.iter().find(|page| page.path == *name))
    }

    /// Returns the page to begin with: `index.md`, `README.md`, or the first.
    pub fn first(&self) -> Option<&Page> {
        let named =
            |name: &str| self.pages.iter().find(|page| page.path.eq_ignore_ascii_case(name));
        named("index.md").or_else(|| named("readme.md")).or_else(|| self.pages.first())
    }
}

/// Collects pages and checks that no two could be taken for each other.
#[derive(Default)]
struct Collector {
    pages: Vec<Page>,
    taken: BTreeSet<String>,
    entries: usize,
    bytes: u64,
}

impl Collector {
    fn add(&mut self, mut entry: tar::Entry<'_, &[u8]>) -> Result<(), DocsError> {
        self.count()?;
        let raw = entry.path_bytes().into_owned();
        let path = String::from_utf8(raw).map_err(|error| DocsError::Path {
            path: error.as_bytes().escape_ascii().to_string(),
            problem: "is not UTF-8 text",
        })?;
        if let Some(what) = refused_kind(&mut entry).map_err(DocsError::Archive)? {
            return Err(DocsError::Entry { path, what });
        }
        let is_directory = entry.header().entry_type().is_dir();
        let clean =
            clean_path(&path).map_err(|problem| DocsError::Path { path: path.clone(), problem })?;
        if is_directory || clean.is_empty() {
            return Ok(());
        }
        self.claim(&clean)?;
        if !clean.ends_with(PAGE) {
            return Ok(());
        }
        let bytes = bounded(&mut entry, &clean).map_err(DocsError::Archive)??;
        self.keep(clean, bytes)
    }

    fn walk(&mut self, directory: &Path, prefix: &str) -> Result<(), DocsError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| DocsError::Read { path, source }
        };
        let entries = fs::read_dir(directory).map_err(unreadable(directory))?;
        for entry in entries {
            self.count()?;
            let entry = entry.map_err(unreadable(directory))?;
            let kind = entry.file_type().map_err(unreadable(&entry.path()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() && name.ends_with(PAGE) {
                let clean = clean_path(&path)
                    .map_err(|problem| DocsError::Path { path: path.clone(), problem })?;
                self.claim(&clean)?;
                let file = fs::File::open(entry.path()).map_err(unreadable(&entry.path()))?;
                let bytes = bounded(file, &clean).map_err(unreadable(&entry.path()))??;
                self.keep(clean, bytes)?;
            }
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), DocsError> {
        self.entries += 1;
        let is_too_many = self.entries > MAX_ENTRIES;
        if is_too_many {
            Err(DocsError::TooLarge { what: format!("more than {MAX_ENTRIES} entries") })
        } else {
            Ok(())
        }
    }

    /// Two paths that a file system or a person cannot tell apart are one too many.
    fn claim(&mut self, path: &str) -> Result<(), DocsError> {
        if self.taken.insert(folded(path)) {
            Ok(())
        } else {
            Err(DocsError::Path {
                path: path.to_owned(),
                problem: "is that of another page, or looks like it",
            })
        }
    }

    fn keep(&mut self, path: String, bytes: Vec<u8>) -> Result<(), DocsError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_UNPACKED {
            return Err(DocsError::TooLarge {
                what: format!("more than {} MiB", MAX_UNPACKED >> 20),
            });
        }
        match String::from_utf8(bytes) {
            Ok(text) => self.pages.push(Page { path, text }),
            Err(_) => return Err(DocsError::Text { path }),
        }
        Ok(())
    }
}

fn bounded(reader: impl Read, path: &str) -> io::Result<Result<Vec<u8>, DocsError>> {
    let mut bytes = Vec::new();
    reader.take(MAX_PAGE + 1).read_to_end(&mut bytes)?;
    let is_too_large = bytes.len() as u64 > MAX_PAGE;
    let too_large =
        || DocsError::TooLarge { what: format!("`{path}` has more than {} MiB", MAX_PAGE >> 20) };
    Ok(if is_too_large { Err(too_large()) } else { Ok(bytes) })
}

#[cfg(test)]
#[path = "docs_tests.rs"]
mod tests;
