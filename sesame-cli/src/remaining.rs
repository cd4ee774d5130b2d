//! How long a grant holds, for people.

use core_types::BootTime;

/// Describes the remaining time for people. Without an end of its own, it is the session's.
pub fn remaining(until: Option<BootTime>, now: BootTime) -> String {
    let Some(until) = until else { return "until you log out".to_owned() };
    let seconds = until.since(now).as_secs_f64().round() as u64;
    match seconds {
        0..120 => format!("for {seconds} s"),
        120..7_200 => format!("for {} min", seconds.div_ceil(60)),
        _ => format!("for {} h", seconds.div_ceil(3_600)),
    }
}
