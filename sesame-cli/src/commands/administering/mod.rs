//! Commands that administer sesame itself: its files, configuration, schemas, scripts and manual.

pub mod config;
pub mod doctor;
pub mod gc;
pub mod schema;
pub mod shell;
