//! The everyday commands: installing, calling, setting and removing extensions. Each is a file, from
//! its arguments to its outcome, by way of the libraries.

pub mod call;
pub mod demo;
pub mod docs;
pub mod edit;
pub mod exec;
pub mod info;
pub mod install;
pub mod list;
pub mod logs;
pub mod remove;
pub mod run;
pub mod settings;
pub mod update;
