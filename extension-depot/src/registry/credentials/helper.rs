//! Credential helpers: programs that `docker login` keeps logins with
//! (<https://github.com/docker/docker-credential-helpers>).

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::registry::credentials::credential::Credential;

/// The message of helpers, with status 1, for an unknown server.
const NOT_FOUND: &str = "credentials not found";
/// The part of a helper's message that is kept, in characters: two or three lines of a terminal.
const MAX_MESSAGE: usize = 200;
/// The most bytes of a helper's output that are read. A login has a few thousand.
const MAX_OUTPUT: u64 = 1 << 20;
/// The pause between two looks at a helper that has printed everything. It ends within
/// milliseconds.
const POLL: Duration = Duration::from_millis(5);

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
pub(crate) fn ask(
    helper: &str,
    server: &str,
    running: &Running,
) -> Result<Option<Credential>, String> {
    let is_name_byte = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if helper.is_empty() || !helper.bytes().all(is_name_byte) {
        return Err("its name is not that of a program".to_owned());
    }
    let output =
        run(helper, server, running).map_err(|error| format!("it cannot be run: {error}"))?;
    if !output.status.success() {
        let message = message(&output);
        return if message.contains(NOT_FOUND) { Ok(None) } else { Err(message) };
    }
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|_| "its answer is not a JSON object with `Username` and `Secret`".to_owned())?;
    Ok(match answer {
        Answer { username, .. } if username.is_empty() => None,
        Answer { username, secret } => Some(Credential::of_helper(username, secret)),
    })
}

/// A helper that runs, so that one that takes too long can be ended.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Option<Child>>>);

impl Running {
    /// Ends the helper, if it runs.
    pub(crate) fn end(&self) {
        if let Some(child) = self.child().as_mut() {
            // One that has ended by itself is as good.
            let _ = child.kill();
        }
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end, without keeping others from bringing it about.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child().as_mut().map_or(Ok(None), Child::try_wait)? {
                return Ok(status);
            }
            std::thread::sleep(POLL);
        }
    }
}

fn run(helper: &str, server: &str, running: &Running) -> io::Result<Output> {
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    *running.child() = Some(child);
    if let Some(mut input) = input {
        // A helper that ends before it reads is judged by its status.
        let _ = input.write_all(server.as_bytes());
    }
    let errors = std::thread::Builder::new().spawn(move || read(errors))?;
    let stdout = read(output)?;
    let stderr = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    Ok(Output { status: running.wait()?, stdout, stderr })
}

fn read(stream: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(MAX_OUTPUT).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Returns the first line that a failed helper printed, or its status. An answer is not shown, for
/// a secret is in it.
fn message(output: &Output) -> String {
    let lines = [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    let said = lines
        .iter()
        .filter(|text| !text.contains("\"Secret\""))
        .find_map(|text| text.lines().next());
    said.map_or_else(|| output.status.to_string(), |line| line.chars().take(MAX_MESSAGE).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn message_of(stdout: &str, stderr: &str) -> String {
        let status = ExitStatus::from_raw(256);
        message(&Output { status, stdout: stdout.into(), stderr: stderr.into() })
    }

    #[test]
    fn helper_message_has_no_secret() {
        assert_eq!(message_of("keychain is locked\nmore", "x"), "keychain is locked");
        assert_eq!(message_of("", " no bus \n"), "no bus");
        let answer = r#"{"ServerURL": "h", "Username": "me", "Secret": "SECRET"}"#;
        assert_eq!(message_of(answer, ""), "exit status: 1");
        assert_eq!(message_of(answer, "it crashed"), "it crashed");
    }
}
