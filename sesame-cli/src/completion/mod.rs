//! Completion for shells. The shell's script asks this program, which answers from installed files
//! and earlier listings: nothing is compiled, run or fetched for it.

mod answer;
mod candidates;
mod line;
mod place;

pub use answer::{answer, is_script, script};
pub use candidates::{
    arguments, capabilities, commands, event_values, events, functions, grants, inspectable, names,
    repositories, revocations, schemas, set_keys, settings, sources, stored_keys,
};
pub use place::{Place, place_of, shell_of};
