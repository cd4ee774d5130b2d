//! Reads error responses and small bodies.

use std::time::Duration;

use reqwest::Response;

use crate::registry::error::RegistryError;
use crate::registry::http::refusal::{AccessProblem, Refusal};
use crate::registry::http::retry::retry_after;
use crate::registry::settings::Timeouts;

/// The largest error document, in bytes. As large as the answer of a token service.
const MAX_DOCUMENT: u64 = 64 * 1024;
/// The longest wait for an error document. The status has arrived by then and says the most
/// important part.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// Returns the error for a status, with the error document of the response as its cause.
pub(crate) async fn status_error(
    response: Response,
    registry: &str,
    timeouts: Timeouts,
) -> RegistryError {
    let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
    let error = RegistryError::Status {
        registry: registry.to_owned(),
        status,
        message: None,
        retry_after,
        source: None,
    };
    explain(error, response, registry, timeouts).await
}

/// Adds the error document of `response` to `error` as its cause. An explained error stays as it
/// is.
pub(crate) async fn explain(
    mut error: RegistryError,
    response: Response,
    registry: &str,
    timeouts: Timeouts,
) -> RegistryError {
    match &mut error {
        RegistryError::NotFound { source, .. } | RegistryError::Status { source, .. }
            if source.is_none() =>
        {
            *source = read(response, registry, timeouts).await.map(Box::new);
        }
        RegistryError::Unauthorized { source, .. }
            if !matches!(source.as_deref(), Some(AccessProblem::Refusal(_))) =>
        {
            if let Some(refusal) = read(response, registry, timeouts).await {
                let login = match source.take().map(|problem| *problem) {
                    Some(AccessProblem::Login(problem)) => Some(problem),
                    _ => None,
                };
                let refusal = refusal.with_login(login);
                *source = Some(Box::new(AccessProblem::Refusal(refusal)));
            }
        }
        _ => {}
    }
    error
}

/// Reads the error document of a response. Returns nothing where the body is something else, too
/// large or too slow.
async fn read(response: Response, registry: &str, timeouts: Timeouts) -> Option<Refusal> {
    // Half of the timeout for an answer: the answer of a token service, whose refusal this is, has
    // the whole.
    let timeout = MAX_WAIT.min(timeouts.idle / 2);
    let reading = read_capped(response, registry, MAX_DOCUMENT);
    let document = tokio::time::timeout(timeout, reading).await.ok()?.ok()?;
    Refusal::parse(&document)
}

/// Reads a body that should be small.
pub(crate) async fn read_capped(
    mut response: Response,
    registry: &str,
    most: u64,
) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|source| RegistryError::network(registry, source))?
    {
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(RegistryError::TooLarge { registry: registry.to_owned(), most });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
