//! The names on the session bus, which programs rely on.

/// The well-known name of the session service, and the name of its interface.
pub const BUS_NAME: &str = "org.opensesame.Extensions1";
/// The object of the session service. Watches and running calls are below it.
pub const BUS_OBJECT: &str = "/org/opensesame/Extensions";
/// The systemd unit of the session service, below `systemd/user`.
pub const SESSION_UNIT: &str = "org.opensesame.Extensions.service";
