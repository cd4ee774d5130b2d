//! Numbers from their text. A number that does not fit its type is an error, and neither wrapped
//! nor made infinite.

/// The number of digits up to which every integer fits an `i128`.
const SAFE_DIGITS: usize = 38;

/// Reads an integer: plain digits, or any number with an integer value, such as `5.0` and `5e0`.
pub(crate) fn integer<T: TryFrom<i128>>(text: &str) -> Result<T, String> {
    let value =
        exact(text).ok_or_else(|| format!("{} stands where an integer should", shown(text)))?;
    let fitting = value.and_then(|value| T::try_from(value).ok());
    fitting.ok_or_else(|| format!("{} is out of range", text.trim_start_matches('+')))
}

/// Returns the integer value of a decimal number in any notation; the inner `None` is one beyond 38
/// digits.
fn exact(text: &str) -> Option<Option<i128>> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole)
        || !is_digits(fraction)
        || !is_digits(exponent.trim_start_matches(['-', '+']))
    {
        return None;
    }
    // The value is `significant` times ten to the power of `zeros`.
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(Some(0));
    }
    // An exponent that is too large for this type makes the number as large or as small as one that
    // fits.
    let exponent: i64 = exponent.parse().unwrap_or(if exponent.starts_with('-') {
        i64::MIN / 2
    } else {
        i64::MAX / 2
    });
    let trailing = all.len() - all.trim_end_matches('0').len();
    let zeros = exponent.saturating_add(trailing as i64).saturating_sub(fraction.len() as i64);
    let zeros = usize::try_from(zeros).ok()?;
    if significant.len().saturating_add(zeros) > SAFE_DIGITS {
        return Some(None);
    }
    Some(
        format!("{significant}{}", "0".repeat(zeros))
            .parse::<i128>()
            .ok()
            .map(|value| sign * value),
    )
}

/// Returns the digits of an integer that is written with a fraction or an exponent; nothing for the zero
/// with a sign, which is a number of its own.
pub(crate) fn integer_digits(text: &str) -> Option<String> {
    let has_digits = |value: &i128| *value != 0 || !text.starts_with('-');
    exact(text).flatten().filter(has_digits).map(|value| value.to_string())
}

/// Reads an `f32`. Only a word for infinity is infinite.
pub(crate) fn float32(text: &str) -> Result<f32, String> {
    text.parse()
        .map_err(|_| not_a_number(text))
        .and_then(|value: f32| finite(value.is_finite(), value, text))
}

/// Reads an `f64`. Only a word for infinity is infinite.
pub(crate) fn float64(text: &str) -> Result<f64, String> {
    text.parse()
        .map_err(|_| not_a_number(text))
        .and_then(|value: f64| finite(value.is_finite(), value, text))
}

/// Rounds to an `f32`.
pub(crate) fn narrow(value: f64) -> Result<f32, String> {
    let narrow = value as f32;
    finite(narrow.is_finite() || !value.is_finite(), narrow, &format!("{value:e}"))
}

fn finite<T>(fits: bool, value: T, text: &str) -> Result<T, String> {
    let is_named =
        text.trim_start_matches(['-', '+']).starts_with(|first: char| first.is_ascii_alphabetic());
    if fits || is_named { Ok(value) } else { Err(format!("{} is out of range", brief(text))) }
}

fn not_a_number(text: &str) -> String {
    format!("{} stands where a number should", shown(text))
}

/// Quotes a text for a message, cut if it is long.
pub(crate) fn shown(text: &str) -> String {
    if text.is_empty() { "nothing".to_owned() } else { format!("`{}`", brief(text)) }
}

/// Returns the beginning of a text, without control characters.
fn brief(text: &str) -> String {
    const MAX_CHARACTERS: usize = 60;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text[..end].escape_debug()),
        None => text.escape_debug().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_integers_are_integers() {
        for (text, value) in
            [("5", 5), ("5.0", 5), ("5e0", 5), ("0.5e1", 5), ("50E-1", 5), ("-0.0", 0), ("+7", 7)]
        {
            assert_eq!(integer::<i32>(text), Ok(value), "{text}");
        }
        assert_eq!(integer::<u64>("1e19"), Ok(10_000_000_000_000_000_000));
        assert_eq!(integer::<u64>("9007199254740993.0"), Ok(9_007_199_254_740_993));
        assert_eq!(integer::<u8>("0e999999999999999999999"), Ok(0));
    }

    #[test]
    fn integers_out_of_range_are_errors() {
        for text in ["256", "300", "-1", "2.56e2", "1e38", "1e400", "1e999999999999999999999"] {
            let error = integer::<u8>(text).expect_err(text);
            assert!(error.ends_with("is out of range"), "{error}");
        }
    }

    #[test]
    fn other_texts_are_not_integers() {
        for text in [
            "",
            "-",
            "5.5",
            "5.",
            ".5",
            "1e",
            "e1",
            "0x5",
            "1_000",
            "1e-1",
            "5e-999999999999999999999",
            "--5",
        ] {
            let error = integer::<i64>(text).expect_err(text);
            assert!(error.ends_with("stands where an integer should"), "{error}");
        }
    }

    #[test]
    fn only_named_infinity_is_infinite() {
        assert_eq!(float32("1e300"), Err("1e300 is out of range".to_owned()));
        assert_eq!(float64("-1e400"), Err("-1e400 is out of range".to_owned()));
        assert_eq!(narrow(1e300), Err("1e300 is out of range".to_owned()));
        assert_eq!(float32("-inf"), Ok(f32::NEG_INFINITY));
        assert_eq!(narrow(f64::INFINITY), Ok(f32::INFINITY));
        assert!(float64("nan").is_ok_and(f64::is_nan));
    }
}
