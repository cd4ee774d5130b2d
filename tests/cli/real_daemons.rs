//! The session service beside the daemons themselves, each in a world of its own: NetworkManager with a
//! network of two devices, UPower with a battery of umockdev, and a user manager of systemd with
//! dbus-broker as the bus.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use crate::bus_session::{is_woken, wait_for, waking_session};
use crate::support::{GREETING, desktop};

/// Two devices that are the ends of one cable, and NetworkManager. Where `/sys` is read-only it takes
/// devices as they are, as in a container, and not from udev.
const NETWORK: &str = "ip link set lo up &&
    ip link add cable0 type veth peer name cable1 && ip link set cable1 up &&
    exec NetworkManager --no-daemon --pid-file=/run/manager.pid --config=$0";

const CONNECTION: &str = "connection add type ethernet ifname cable0 con-name cable ipv6.method disabled \
                          ipv4.method manual ipv4.addresses 192.0.2.2/24 ipv4.gateway 192.0.2.1";

/// A connection that comes up and goes down wakes.
#[test]
#[ignore = "needs network-manager, iproute2 and bubblewrap, from Debian, and root"]
fn network_manager_wakes() {
    let session = waking_session();
    let config = "[main]\nplugins=keyfile\nno-auto-default=*\ndns=none\nhostname-mode=none\nrc-manager=unmanaged\n";
    let config = session.env.write("manager.conf", config).display().to_string();
    let world = "bwrap --unshare-net --unshare-uts --die-with-parent --cap-add ALL --bind / / --dev /dev \
                 --proc /proc --ro-bind /sys /sys --tmpfs /run --tmpfs /etc/NetworkManager \
                 --tmpfs /var/lib/NetworkManager sh -c";
    let world: Vec<_> = world.split_whitespace().chain([NETWORK, &config]).collect();
    let _manager = session.start_program(&world);
    session.wait_for_name("org.freedesktop.NetworkManager");
    session.wait_for_source("network-manager");
    let nmcli = |words: &str| {
        let words: Vec<_> = ["nmcli"].into_iter().chain(words.split_whitespace()).collect();
        session.run_program(&words)
    };
    let devices = || nmcli("-t -f DEVICE,STATE device");
    wait_for(|| devices().contains("cable0:disconnected"), devices);
    nmcli(CONNECTION);
    nmcli("connection up cable");
    is_woken(&session, "network.changed");
    let before = session.log().matches("network.changed: handled").count();
    nmcli("connection down cable");
    let is_again = || session.log().matches("network.changed: handled").count() > before;
    wait_for(is_again, || session.log());
}

/// A kernel with a battery at 80 %, UPower on it, and a charge for each line of standard input.
const BATTERY: &str = r#"
import ctypes, subprocess, sys
kernel = ctypes.CDLL("libumockdev.so.0")
kernel.umockdev_testbed_new.restype = ctypes.c_void_p
kernel.umockdev_testbed_add_from_string.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
kernel.umockdev_testbed_set_attribute.argtypes = [ctypes.c_void_p] + [ctypes.c_char_p] * 3
kernel.umockdev_testbed_uevent.argtypes = [ctypes.c_void_p] + [ctypes.c_char_p] * 2
attributes = {"type": "Battery", "scope": "System", "present": "1", "status": "Discharging",
              "energy_full": "60000000", "energy_full_design": "80000000", "energy_now": "48000000",
              "voltage_now": "12000000", "power_now": "9000000"}
battery = "P: /devices/BAT0\nE: SUBSYSTEM=power_supply\nE: POWER_SUPPLY_NAME=BAT0\n"
battery += "".join(f"A: {name}={value}\\n\n" for name, value in attributes.items())
bed = kernel.umockdev_testbed_new()
assert kernel.umockdev_testbed_add_from_string(bed, battery.encode() + b"\n", None)
upower = subprocess.Popen(["/usr/libexec/upowerd"])
for charge in sys.stdin:
    kernel.umockdev_testbed_set_attribute(bed, b"/sys/devices/BAT0", b"energy_now", charge.strip().encode())
    kernel.umockdev_testbed_uevent(bed, b"/sys/devices/BAT0", b"change")
upower.kill()
"#;

/// Asks UPower for the charge.
const PERCENTAGE: [&str; 11] = [
    "gdbus",
    "call",
    "--session",
    "-d",
    "org.freedesktop.UPower",
    "-o",
    "/org/freedesktop/UPower/devices/DisplayDevice",
    "-m",
    "org.freedesktop.DBus.Properties.Get",
    "org.freedesktop.UPower.Device",
    "Percentage",
];

/// A battery that runs down wakes once.
#[test]
#[ignore = "needs upower and umockdev, from Debian"]
fn upower_wakes() {
    let session = waking_session();
    let mut upower = session.start_program(&["umockdev-wrapper", "python3", "-c", BATTERY]);
    let mut kernel = upower.0.stdin.take().expect("piped");
    session.wait_for_name("org.freedesktop.UPower");
    session.wait_for_source("upower");
    for percent in [50, 10, 5] {
        writeln!(kernel, "{}", percent * 600_000).expect("it reads");
        let known = format!("(<{percent}.0>,)");
        wait_for(|| session.run_program(&PERCENTAGE).contains(&known), || session.log());
    }
    is_woken(&session, "power.battery");
    // A second delivery would come a second after the first.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(session.log().matches("power.battery: handled").count(), 1, "{}", session.log());
}

/// A machine that systemd has booted, as far as a user manager looks: `/run` says so, and somebody takes
/// the log.
const MACHINE: &str = r#"
import os, socket, sys
os.makedirs("/run/systemd/system")
os.makedirs("/run/systemd/journal")
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
journal.set_inheritable(True)
os.execvp("sh", ["sh", "-c", sys.argv[1]])
"#;

/// The whole life of the service under a user manager, with a line for each step.
const LIFE: &str = r#"
unit=org.opensesame.Extensions.service
call() { gdbus call --session -d org.opensesame.Extensions1 -o /org/opensesame/Extensions -m "$@"; }
main() { systemctl --user show $unit -p MainPID --value; }
mkdir -m 700 -p $XDG_RUNTIME_DIR
/usr/lib/systemd/systemd --user &
for i in $(seq 300); do systemctl --user is-active -q dbus.socket 2>/dev/null && break; sleep 0.1; done
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus

sesame session install 2>&1 | grep anew
systemctl --user enable --quiet --now $unit
systemctl --user is-enabled $unit
systemctl --user show $unit -p ActiveState,Type,NoNewPrivileges,LimitCORE,UMask
before=$(main); kill -9 $before
for i in $(seq 300); do
  now=$(main)
  [ $now != $before ] && sesame session status | grep -q "^runs: process $now," && echo again && break
  sleep 0.1
done
sesame session stop
for i in $(seq 300); do [ $(systemctl --user is-active $unit) = inactive ] && break; sleep 0.1; done
echo $(systemctl --user is-active $unit)
call org.opensesame.Extensions1.Call greeting greet '["World"]' '{}' | cut -d '}' -f 1
busctl --user call org.opensesame.Extensions1 /org/opensesame/Extensions org.opensesame.Extensions1 \
  Call 'sssa{sv}' greeting greet '["World"]' 0 | grep -o 'Hello, World!'
echo $(systemctl --user is-active $unit), by $(systemctl --user show -p Id --value dbus.service)
sandboxed() {
  for path in /usr /lib /lib64 /bin /etc; do set -- "$@" --ro-bind-try $path $path; done
  bwrap --die-with-parent "$@" --bind $XDG_RUNTIME_DIR $XDG_RUNTIME_DIR --dev /dev --proc /proc \
    --ro-bind $HOME/info /.flatpak-info gdbus call --session -d org.opensesame.Extensions1 \
    -o /org/opensesame/Extensions -m org.opensesame.Extensions1.Call greeting greet '["World"]' '{}' 2>&1
}
sandboxed | grep -o 'org.opensesame.Error.Refused'
printf '\n[service]\nsandboxed = ["org.example.App"]\n' >>$HOME/.config/pds/extensions/greeting.toml
sandboxed | grep -o 'Hello, World!'
copy() { call org.opensesame.Extensions1.Call desktop copy-text '["x"]' '{}' | grep -o "unavailable: [^\\\"]*"; }
copy
systemctl --user set-environment WAYLAND_DISPLAY=late
copy
sesame extension activity --json | grep -o '"cause":"bus"'
sesame session stop
# It removes its groups of processes, but for the one that it is in.
systemctl --user exit
wait
"#;

/// A real user manager starts the service at login, restricts it, starts it again after a crash, and
/// starts it for a call that reaches dbus-broker. A program in a sandbox is known for one by that bus too.
#[test]
#[ignore = "needs systemd, dbus-broker, dbus-user-session and bubblewrap, from Debian"]
fn user_manager_runs_the_service() {
    let env = desktop();
    env.write("work/greeting.wasm", &*GREETING);
    env.run("extension install ./greeting.wasm").ok();
    std::fs::create_dir(env.path("bin")).expect("made");
    symlink(env!("CARGO_BIN_EXE_sesame"), env.path("bin/sesame")).expect("a link");
    env.write("info", "[Application]\nname=org.example.App\n");
    let world = "--die-with-parent --unshare-pid --bind / / --dev /dev --proc /proc --tmpfs /run python3 -c";
    let mut command = Command::new("bwrap");
    command.args(world.split_whitespace()).args([MACHINE, LIFE]).env_clear();
    let path = format!("{}:/usr/bin:/bin", env.path("bin").display());
    command.env("PATH", path).env("HOME", env.home()).env("XDG_RUNTIME_DIR", env.path("run"));
    // Without it, the bus takes the home of the user and not that of the environment.
    command.env("XDG_DATA_HOME", env.path(".local/share"));
    let run = env.finish(command, b"");
    insta::assert_snapshot!(run.text().replace(&env.home().display().to_string(), "~"), @r#"
    systemd and the session bus have read their files anew
    enabled
    Type=dbus
    UMask=0077
    LimitCORE=0
    NoNewPrivileges=yes
    ActiveState=active
    again
    the session service ends
    inactive
    ('{"result":"Hello, World!"
    Hello, World!
    active, by dbus-broker.service
    org.opensesame.Error.Refused
    Hello, World!
    unavailable: this session has no display
    unavailable: the display server refuses: Couldn't connect to the Wayland compositor
    "cause":"bus"
    "cause":"bus"
    "cause":"bus"
    "cause":"bus"
    "cause":"bus"
    the session service ends
    "#);
}
