//! Tells when the battery is low. The settings of the event say how low.

use extension_sdk::event::Battery;
use extension_sdk::{Error, notification};

extension_sdk::events! { Battery => tell }

fn tell(battery: Battery) -> Result<(), Error> {
    notification::show("Battery", &text(battery.percent))
}

/// Returns the text of the notification. The charge can be unknown.
fn text(percent: Option<u8>) -> String {
    match percent {
        Some(percent) => format!("{percent} % left"),
        None => "It is low".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn unknown_charge_is_low() {
        assert_eq!(text(Some(9)), "9 % left");
        assert_eq!(text(None), "It is low");
    }
}
