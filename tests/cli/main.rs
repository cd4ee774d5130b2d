//! The binary as a person uses it, each test in a home of its own.

mod bundle;
mod call;
mod code_cache;
mod config;
mod crash;
mod demo;
mod desktop;
mod guests;
mod history;
mod hostile;
mod install;
mod keyless;
mod layering;
mod list;
mod manage;
mod offline;
mod outdated;
mod output;
mod permissions;
mod registries;
mod shell;
mod suffiks;
mod support;
mod sync;
mod trust;
mod update;
