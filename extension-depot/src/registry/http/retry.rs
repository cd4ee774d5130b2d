//! When a request is sent again.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::registry::error::RegistryError;

/// The attempts of one request: most failures are over after a moment, and the rest stay.
const MAX_ATTEMPTS: u32 = 4;
/// The longest wait that a registry can ask for, in seconds. A person would have given up.
const MAX_RETRY_AFTER: u64 = 60;

/// Waits before another attempt, or gives the error back when there is none to be made.
pub(crate) async fn pause_before_retry(
    attempt: &mut u32,
    error: RegistryError,
) -> Result<(), RegistryError> {
    *attempt += 1;
    if *attempt >= MAX_ATTEMPTS || !error.is_transient() {
        return Err(error);
    }
    let stated = match error {
        RegistryError::Status { retry_after: Some(seconds), .. } if seconds > MAX_RETRY_AFTER => {
            return Err(error);
        }
        RegistryError::Status { retry_after: Some(seconds), .. } => Duration::from_secs(seconds),
        _ => Duration::ZERO,
    };
    tokio::time::sleep(stated.max(Duration::from_millis(100 << *attempt))).await;
    Ok(())
}

/// Returns the seconds of `Retry-After`, which is a number or a date. Nonsense counts as not said.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| seconds_until(text, Timestamp::now()))
}

/// Returns the seconds from now until a date as HTTP writes it; none are left where it is past.
fn seconds_until(date: &str, now: Timestamp) -> Option<u64> {
    let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date).ok()?;
    Some(u64::try_from(date.as_second() - now.as_second()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let parse = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a header"));
            retry_after(&headers)
        };
        assert_eq!(
            (parse("1"), parse(" 30 "), parse("999999999")),
            (Some(1), Some(30), Some(999_999_999))
        );
        assert_eq!((parse("-1"), parse("soon"), parse("")), (None, None, None));
        assert_eq!(parse("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0), "it is past");
        let now: Timestamp = "2026-10-21T07:27:30Z".parse().expect("a time");
        for (date, expected) in [
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some(30)),
            ("Mon, 21 Oct 2026 07:28:00 GMT", Some(30)),
            ("Wed, 21 Oct 2026 07:27:00 GMT", Some(0)),
            ("21/10/2026", None),
        ] {
            assert_eq!(seconds_until(date, now), expected, "{date}");
        }
    }
}
