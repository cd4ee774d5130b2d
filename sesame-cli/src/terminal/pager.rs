//! The pager for long texts.

use std::io::Write;
use std::process::{Command, Stdio};

/// Shows a text with `less`, restricted to showing: no shell, no editor, no other file.
pub fn page_with_pager(styled: &str) -> bool {
    let less = Command::new("less")
        .args(["-R", "-F", "-X"])
        .env("LESSSECURE", "1")
        .env_remove("LESSOPEN")
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut less) = less else { return false };
    if let Some(mut input) = less.stdin.take() {
        // Whoever quits before the end has read enough.
        let _ = input.write_all(styled.as_bytes());
    }
    less.wait().is_ok_and(|status| status.success())
}
