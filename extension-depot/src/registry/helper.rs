//! Credential helpers: programs that `docker login` keeps logins with
//! (<https://github.com/docker/docker-credential-helpers>).

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use super::credentials::Credential;

/// What helpers say, with status 1, of a server that they have no login for.
const NOT_FOUND: &str = "credentials not found";
/// The user name with which helpers mark an identity token.
const TOKEN_USER: &str = "<token>";
/// How much of a helper's message is kept, in characters.
const MAX_MESSAGE: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Asks `docker-credential-HELPER` for the login for a server. Blocks as long as the helper runs.
///
/// # Errors
/// The reason, when the helper cannot be run or fails.
pub(super) fn ask(helper: &str, server: &str) -> Result<Option<Credential>, String> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if helper.is_empty() || !helper.bytes().all(is_name_byte) {
        return Err("its name is not that of a program".to_owned());
    }
    let output = run(helper, server).map_err(|error| format!("it cannot be run: {error}"))?;
    if !output.status.success() {
        let message = message(&output);
        return if message.contains(NOT_FOUND) { Ok(None) } else { Err(message) };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| "its answer is not a JSON object with `Username` and `Secret`".to_owned())?;
    Ok(match answer {
        Answer { username, secret } if username == TOKEN_USER => Some(Credential::RefreshToken(secret)),
        Answer { username, .. } if username.is_empty() => None,
        Answer { username, secret } => Some(Credential::Password { username, password: secret }),
    })
}

fn run(helper: &str, server: &str) -> std::io::Result<Output> {
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that ends before it reads is judged by its status.
        let _ = input.write_all(server.as_bytes());
    }
    child.wait_with_output()
}

/// The first line that a failed helper printed, or its status.
fn message(output: &Output) -> String {
    let lines = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let said = lines.iter().find_map(|text| text.lines().next());
    said.map_or_else(|| output.status.to_string(), |line| line.chars().take(MAX_MESSAGE).collect())
}
