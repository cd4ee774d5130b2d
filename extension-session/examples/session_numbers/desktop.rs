//! The services of a desktop that the measurement plays: UPower, and a notification server.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use zbus::block_on;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::interface;
use zbus::zvariant::Value;

use crate::Result;

const DISPLAY: &str = "/org/freedesktop/UPower/devices/DisplayDevice";

/// A battery that discharges.
struct Battery {
    percent: f64,
}

#[interface(name = "org.freedesktop.UPower.Device")]
impl Battery {
    #[zbus(property)]
    fn percentage(&self) -> f64 {
        self.percent
    }

    #[zbus(property)]
    fn state(&self) -> u32 {
        2
    }

    #[zbus(property)]
    fn is_present(&self) -> bool {
        true
    }
}

/// Tells when it is asked to show something.
struct Notifications(Sender<Instant>);

#[interface(name = "org.freedesktop.Notifications")]
impl Notifications {
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["body"]
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has them")]
    fn notify(
        &self,
        _application: &str,
        _replaces: u32,
        _icon: &str,
        _title: &str,
        _text: &str,
        _actions: Vec<String>,
        _hints: HashMap<&str, Value<'_>>,
        _time: i32,
    ) -> u32 {
        // The receiver is gone after the measurement.
        let _ = self.0.send(Instant::now());
        1
    }
}

pub struct Desktop {
    connection: Connection,
    /// The moments at which something was shown.
    pub shown: Receiver<Instant>,
}

impl Desktop {
    /// Starts both, with a full battery.
    pub fn start() -> Result<Self> {
        let (sender, shown) = channel();
        let connection = Builder::session()?
            .serve_at(DISPLAY, Battery { percent: 100.0 })?
            .serve_at("/org/freedesktop/Notifications", Notifications(sender))?
            .name("org.freedesktop.UPower")?
            .name("org.freedesktop.Notifications")?
            .build()?;
        Ok(Self { connection, shown })
    }

    /// Tells of another charge, and returns when it did.
    pub fn set_percent(&self, percent: usize) -> Result<Instant> {
        let battery = self.connection.object_server().interface::<_, Battery>(DISPLAY)?;
        battery.get_mut().percent = percent as f64;
        let emitter = battery.signal_emitter();
        let begun = Instant::now();
        block_on(battery.get().percentage_changed(emitter))?;
        Ok(begun)
    }
}
