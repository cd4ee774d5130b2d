//! The settings of the session service that are in force, within every policy.

use std::time::Duration;

use core_types::Place;
use core_types::event::Interval;

use crate::config::effective_config::EffectiveConfig;
use crate::config::session_settings::SessionConsent;
use crate::config::setting::Setting;

/// How long the service waits for more to do. A bar that asks once a minute finds it there.
const DEFAULT_IDLE_EXIT: Duration = Duration::from_secs(60);
/// The number of extensions that run at once: a third one waits, so that a storm of events leaves
/// the machine usable.
const DEFAULT_PARALLEL: u8 = 2;

impl EffectiveConfig {
    /// Returns whether the session service may wake and call extensions: neither the user nor a
    /// policy switches it off.
    pub fn session_enabled(&self) -> bool {
        let is_off = self.policies.iter().any(|(policy, _)| policy.session == Some(false));
        self.session.enabled.unwrap_or(true) && !is_off
    }

    /// Returns the line that switches the session service off, a policy's before the user's.
    pub fn session_switch(&self) -> Option<Place> {
        let settings = self.settings();
        let is_off = |key: &str| {
            let is_meant = |setting: &&Setting| setting.key == key && setting.value == "false";
            settings.iter().find(is_meant)
        };
        let setting = is_off("extensions.policy.session").or_else(|| is_off("session.enabled"))?;
        Some(Place { path: setting.path.clone(), line: Some(setting.line) })
    }

    /// Returns how long the session service stays without anything to do.
    pub fn session_idle_exit(&self) -> Duration {
        self.session.idle_exit.map_or(DEFAULT_IDLE_EXIT, Interval::duration)
    }

    /// Returns how the session service asks for permissions.
    pub fn session_consent(&self) -> SessionConsent {
        self.session.consent.unwrap_or_default()
    }

    /// Returns how many extensions the session service runs at once.
    pub fn session_max_parallel(&self) -> usize {
        usize::from(self.session.max_parallel.unwrap_or(DEFAULT_PARALLEL))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::Places;

    /// Loads files of the configuration, each with its name and text.
    fn load(files: &[(&str, &str)]) -> Result<EffectiveConfig, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        fs::create_dir(root.join("config.d")).expect("made");
        for (name, text) in files {
            fs::write(root.join(name), text).expect("written");
        }
        let system_policy = root.join("policy.toml");
        let places = Places { config: root.to_owned(), system_policy, ..Places::below(root) };
        let error = |error: crate::ConfigFileError| error.to_string();
        EffectiveConfig::load(&places).map_err(error)
    }

    #[test]
    fn session_has_defaults() {
        let config = load(&[]).expect("nothing is wrong");
        assert!(config.session_enabled());
        assert_eq!(config.session_switch(), None);
        assert_eq!(config.session_idle_exit(), Duration::from_secs(60));
        assert_eq!(config.session_consent(), SessionConsent::Notification);
        assert_eq!(config.session_max_parallel(), 2);
    }

    /// A later file wins key by key, and `config show` has the winners with their lines.
    #[test]
    fn later_session_keys_win() {
        let config = load(&[
            ("config.toml", "[session]\nenabled = false\nmax_parallel = 4\nidle_exit = \"5m\""),
            ("config.d/10.toml", "[session]\nenabled = true\nconsent = \"never\""),
            ("config.d/20.toml", "session.max_parallel = 16"),
        ])
        .expect("valid");
        assert!(config.session_enabled());
        assert_eq!(config.session_switch(), None);
        assert_eq!(config.session_idle_exit(), Duration::from_secs(300));
        assert_eq!(config.session_consent(), SessionConsent::Never);
        assert_eq!(config.session_max_parallel(), 16);
        let shown: Vec<_> = config
            .settings()
            .iter()
            .map(|set| format!("{} = {} {}", set.key, set.value, set.line))
            .collect();
        assert_eq!(
            shown,
            [
                "session.idle_exit = \"5m\" 4",
                "session.enabled = true 2",
                "session.consent = \"never\" 3",
                "session.max_parallel = 16 1",
            ]
        );
    }

    /// A policy switches the service off, and a setting of the user's does not switch it on again.
    #[test]
    fn policy_switches_session_off() {
        let on = "[session]\nenabled = true";
        let off = "[session]\nenabled = false";
        let policy = "session = false";
        let own_policy = "[extensions.policy]\nsession = false";
        for (files, place) in [
            (&[("policy.toml", policy), ("config.toml", on)][..], "policy.toml:1"),
            (&[("policy.toml", policy), ("config.toml", off)], "policy.toml:1"),
            (&[("policy.toml", "session = true"), ("config.toml", off)], "config.toml:2"),
            (&[("config.toml", own_policy), ("config.d/10.toml", on)], "config.toml:2"),
        ] {
            let config = load(files).expect("valid");
            assert!(!config.session_enabled(), "{files:?}");
            let switch = config.session_switch().expect("a line").to_string();
            assert!(switch.ends_with(place), "{switch} {place}");
        }
        assert!(load(&[("policy.toml", "session = true")]).expect("valid").session_enabled());
    }

    #[test]
    fn wrong_session_values_are_errors() {
        for (value, column, said) in [
            ("enabled = \"no\"", 11, "expected `true` or `false`"),
            ("idle_exit = \"0s\"", 13, "`1s` to `30d`"),
            ("idle_exit = 60", 13, "`1s` to `30d`"),
            ("idle_exit = \"31d\"", 13, "`1s` to `30d`"),
            ("consent = \"dialog\"", 11, "`notification`"),
            ("max_parallel = 0", 16, "a whole number from 1 to 16"),
            ("max_parallel = 17", 16, "a whole number from 1 to 16"),
            ("max_parallel = -1", 16, "a whole number from 1 to 16"),
            ("max_parallel = 257", 16, "a whole number from 1 to 16"),
            ("max_parallel = \"2\"", 16, "a whole number from 1 to 16"),
        ] {
            let error = load(&[("config.toml", &format!("[session]\n{value}"))]).expect_err(value);
            let at = format!("config.toml` is wrong: line 2, column {column}:");
            assert!(error.contains(&at) && error.contains(said), "{value}: {error}");
        }
        let error = load(&[("policy.toml", "session = \"off\"")]).expect_err("not a boolean");
        assert!(error.contains("policy.toml` is wrong: line 1, column 11:"), "{error}");
    }

    #[test]
    fn unknown_session_key_is_warned_of() {
        let config = load(&[("config.toml", "[session]\nidle_exot = \"5s\"")]).expect("a warning");
        let (path, key) = &config.unknown_keys[0];
        assert!(path.ends_with(Path::new("config.toml")));
        assert_eq!(
            key.to_string(),
            "line 2: unknown key `session.idle_exot` does nothing; the nearest is `idle_exit`"
        );
    }
}
