//! The rules of an install that need no network and no compiler, one file each: which sources can
//! be used, which version is meant, whether a tag has moved, which way a version goes, whose name
//! it is, and which names look alike.

mod direction;
mod look_alike;
mod moved_tag;
mod replacement;
mod source_form;
mod tag_listing;

pub(crate) use direction::check_direction;
pub use direction::{Direction, Downgrade, Replaced};
pub(crate) use look_alike::warn_of_look_alikes;
pub use moved_tag::TagMoved;
pub(crate) use moved_tag::check_tag;
pub use replacement::{NameUse, ReplacedByRegistry, check_replacement};
pub(crate) use replacement::{is_file, local_reference};
pub use source_form::{SourceForm, check_form};
pub use tag_listing::{known_repositories, known_tags, remember_tags};
