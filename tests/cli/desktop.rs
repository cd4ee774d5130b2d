//! The capabilities of a desktop session against real services: gnome-keyring, dunst, X11, sway and
//! weston, a D-Bus client.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{GREETING, Run, TestEnv, desktop, env, server_tools, with_guest};

/// Runs a script in a session with a bus and a keyring, under these commands. `sesame` is the
/// binary.
fn in_session(env: &TestEnv, session: &[&str], script: &str) -> Run {
    let program = Path::new(env!("CARGO_BIN_EXE_sesame"));
    let servers = server_tools();
    let with_desktop = concat!(env!("CARGO_MANIFEST_DIR"), "/../.ci/servers/with-desktop");
    let mut command = Command::new(servers.join("with-secret-service"));
    let words =
        session.iter().map(|word| if *word == "with-desktop" { with_desktop } else { *word });
    command.args(words).args(["sh", "-c", script]);
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        program.parent().expect("a directory").display(),
        servers.display()
    );
    command.env_clear().env("HOME", env.home()).env("PATH", path).current_dir(env.path("work"));
    env.finish(command, b"")
}

/// The secrets of each extension are in the keyring, apart from those of the others.
#[test]
#[ignore = "needs gnome-keyring, from .ci/test-servers"]
fn secrets_are_kept_apart() {
    let env = desktop();
    let manifest = env.read(".config/pds/extensions/desktop.toml");
    let oci = manifest.lines().find_map(|line| line.strip_prefix("oci = ")).expect("installed");
    let identity = oci.trim_matches('"').replace(":0.0.0@", "@");
    let run = in_session(
        &env,
        &[],
        &"printf 's3cr3t\\n' | sesame secret set desktop token
         sesame extension call desktop read-secret token
         sesame secret list desktop
         secret-tool search service 'sesame extension IDENTITY' 2>&1 | grep -c '^secret = s3cr3t'
         sesame extension install ./desktop.wasm --name other --grant secret-read=token -q
         sesame secret list other
         sesame extension call desktop write-secret token changed
         sesame extension call desktop read-secret token
         sesame secret remove desktop token
         sesame extension call desktop read-secret token"
            .replace("IDENTITY", &identity),
    );
    insta::assert_snapshot!(run, @r#"
    exit 1
    out: `desktop` has the secret token
    out: s3cr3t
    out: token
    out: 1
    out: installed other 0.0.0 from local/file/other:0.0.0@sha256:DIGEST
    out: changed
    out: `desktop` has no secret token
    err: error: the extension returned an error: not found
    "#);
    assert!(files_with_secret(&env).is_empty());
}

/// Returns the files that have the secret of these tests in them.
fn files_with_secret(env: &TestEnv) -> Vec<PathBuf> {
    let secret = b"s3cr3t";
    let has_it = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    env.files().into_iter().filter(|(_, bytes)| has_it(bytes)).map(|(path, _)| path).collect()
}

/// The session service hands a secret to the extension, and the answer to the caller. The secret is
/// in no log, in no file and in no status of the service.
#[test]
#[ignore = "needs gnome-keyring, from .ci/test-servers, and gdbus"]
fn service_keeps_secrets() {
    let env = desktop();
    let run = in_session(
        &env,
        &[],
        "name=org.opensesame.Extensions1
         call() { gdbus call --session -d $name -o /org/opensesame/Extensions -m $name.$*; }
         printf 's3cr3t\\n' | sesame secret set desktop token
         sesame session run 2>service &
         gdbus wait --session --timeout 60 $name
         call Call desktop read-secret '[\"token\"]' {} | grep -c s3cr3t
         call Call desktop read-secret '[\"other\"]' {} >refusal 2>&1
         call List >list
         sesame session status --json >status
         sesame extension activity desktop --json >activity
         sesame session stop",
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: `desktop` has the secret token
    out: 1
    out: the session service ends
    "#);
    for (file, has) in [
        ("activity", "secret-read"),
        ("list", "desktop"),
        ("status", "executable"),
        ("refusal", "denied"),
    ] {
        let text = env.read(&format!("work/{file}"));
        assert!(text.contains(has), "{file}: {text}");
    }
    assert!(files_with_secret(&env).is_empty());
}

/// A keyring that is locked or missing is named at once.
#[test]
#[ignore = "needs gnome-keyring, from .ci/test-servers"]
fn missing_keyring_is_named_soon() {
    let env = desktop();
    let locked = in_session(&env, &["--locked"], "printf x | sesame secret set desktop token");
    insta::assert_snapshot!(locked, @r#"
    exit 9
    err: error: the keyring is locked: SS error: prompt dismissed
    err: hint: unlock your keyring, or start a Secret Service such as gnome-keyring
    "#);
    insta::assert_snapshot!(in_session(&env, &["--locked"], "sesame extension call desktop write-secret token x"), @r#"
    exit 1
    err: error: the extension returned an error: unavailable: the keyring is locked: SS error: prompt dismissed
    "#);
    let none = env.run("secret list desktop");
    assert!(none.code == 9 && none.stderr.contains("this session has no keyring"), "{none}");
}

/// A keyring that never answers is given up after four seconds.
#[test]
#[ignore = "needs gnome-keyring, from .ci/test-servers"]
fn silent_keyring_times_out() {
    let env = desktop();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sesame"));
    // A socket that accepts and never answers looks like a hanging bus.
    let silent = std::os::unix::net::UnixListener::bind(env.path("silent")).expect("bound");
    command.args(["secret", "list", "desktop"]).env_clear().env("HOME", env.home());
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", env.path("silent").display()));
    let started = std::time::Instant::now();
    let run = env.finish(command, b"");
    drop(silent);
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(run.code == 9 && run.stderr.contains("did not answer within four seconds"), "{run}");
}

/// A silent keyring delays a login for a bounded time, and anonymous access not at all.
#[test]
#[ignore = "needs half a minute: it waits as long as sesame does"]
fn silent_keyring_delays_only_logins() {
    use test_support::bad_registry::{BadRegistry, Guard};
    let env = env();
    let _silent = std::os::unix::net::UnixListener::bind(env.path("silent")).expect("bound");
    let (open, closed) = (BadRegistry::start(None), BadRegistry::start(Some(Guard::Basic)));
    let (open, closed) = (open.expect("a registry"), closed.expect("a registry"));
    let run = |line: &str| {
        let mut command = env.command(line.split_whitespace());
        command
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", env.path("silent").display()));
        let started = std::time::Instant::now();
        (env.finish(command, b"SECRET\n"), started.elapsed().as_secs())
    };
    std::thread::scope(|scope| {
        let commands = [
            (format!("extension install {}/bad/extension/ok:1.0.0 --name x", open.host()), 0, 3),
            (format!("extension install {}/bad/extension/ok:1.0.0 --name y", closed.host()), 4, 12),
            (
                "registry login localhost:1 --username me --password-stdin --no-verify".to_owned(),
                9,
                35,
            ),
            ("registry logout localhost:1".to_owned(), 9, 35),
            ("registry list".to_owned(), 0, 35),
        ];
        for (line, code, seconds) in commands {
            scope.spawn(move || {
                let (run, took) = run(&line);
                assert!(run.code == code && took <= seconds, "{line}: {took} s: {run}");
            });
        }
    });
    let in_a_file = env
        .files()
        .into_iter()
        .find(|(_, bytes)| String::from_utf8_lossy(bytes).contains("SECRET"));
    assert_eq!(in_a_file.map(|(path, _)| path), None, "it is kept nowhere instead");
}

/// A notification is plain text and names its extension.
#[test]
#[ignore = "needs dunst and Xvfb, which .ci/run installs"]
fn notifications_name_the_extension() {
    let env = desktop();
    let run = in_session(
        &env,
        &["with-desktop", "--x11"],
        "sesame extension call desktop notify '<b>Title</b>' '<i>body</i> & <a href=\"x\">more</a>'
         sesame extension call desktop notify-often 30
         sesame extension call desktop notify once more 2>&1
         dunstctl close-all
         dunstctl history | grep -A2 -E '\"(appname|summary|body|message)\"' | grep data | grep -v -E 'again|\"[0-9]\"' | sort -u",
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: 9
    out: error: the extension returned an error: too many requests in too little time
    out: 					"data" : "&lt;i&gt;body&lt;/i&gt; &amp; &lt;a href=&quot;x&quot;&gt;more&lt;/a&gt;"
    out: 					"data" : "<b>&lt;b&gt;Title&lt;/b&gt;</b>\n&lt;i&gt;body&lt;/i&gt; &amp; &lt;a href=&quot;x&quot;&gt;more&lt;/a&gt;"
    out: 					"data" : "<b>Title</b>"
    out: 					"data" : "sesame: desktop"
    "#);
}

/// A call that may ask, of an extension without the permission to notify, beside a script that presses
/// the button.
fn asking(press: &str) -> String {
    format!(
        "sesame extension revoke desktop notification >/dev/null
         sesame session run 2>/dev/null &
         gdbus wait --session --timeout 60 org.opensesame.Extensions1
         call() {{
           gdbus call --session -d org.opensesame.Extensions1 -o /org/opensesame/Extensions \
             -m org.opensesame.Extensions1.Call desktop config-value '[\"x\"]' \"{{'interactive': <true>}}\"
         }}
         call >answer 2>&1 & asked=$!
         {press}
         wait $asked
         cut -d' ' -f1 answer
         grep -hs what $XDG_RUNTIME_DIR/pds/grants/desktop.toml
         sesame session stop"
    )
}

/// The button of a real notification server grants for the session, and nothing else does.
#[test]
#[ignore = "needs dunst, Xvfb, sway and mako, which .ci/run installs"]
fn pressed_button_grants_for_the_session() {
    let env = desktop();
    let dunst = asking(
        "for _ in $(seq 300); do dunstctl count displayed | grep -qx 1 && break; sleep 0.1; done
         dunstctl context",
    );
    insta::assert_snapshot!(in_session(&env, &["with-desktop", "--x11"], &dunst), @r#"
    exit 0
    out: ('{"result":null}',
    out: what = "notification"
    out: the session service ends
    "#);
    let mako = |press: &str| {
        let shown =
            "for _ in $(seq 300); do makoctl list | grep -q Permission && break; sleep 0.1; done";
        in_session(
            &env,
            &["with-desktop", "--wayland"],
            &asking(&format!("{shown}\nmakoctl {press}")),
        )
    };
    insta::assert_snapshot!(mako("invoke session"), @r#"
    exit 0
    out: ('{"result":null}',
    out: what = "notification"
    out: the session service ends
    "#);
    insta::assert_snapshot!(mako("dismiss"), @r#"
    exit 0
    out: Error:
    out: `open-sesame:host/notification@0.1.1`
    out: hint:
    out: note:
    out: the session service ends
    "#);
}

/// Waits until the picture of the screen has this colour in many places, as pixels of three bytes.
const SEES: &str = "sees() { for _ in $(seq 300); do
    grim -t ppm screen.ppm && python3 -c '
import sys
pixels = open(\"screen.ppm\", \"rb\").read()
sys.exit(pixels.count(bytes.fromhex(sys.argv[1])) < 500)' $1 && echo $2 && break
    sleep 0.1
  done; }";

/// A module of Waybar takes the lines of a watch: it is there with a result, and has the class of an
/// error after one.
#[test]
#[ignore = "needs sway, waybar, grim and python3, which .ci/run installs"]
fn waybar_shows_a_watch() {
    let env = with_guest("greeting", &GREETING);
    let watch = "sesame extension watch greeting greet World --every 1s --format waybar";
    let bar = format!(
        r#"{{"modules-center": ["custom/it"], "custom/it": {{"exec": "{watch}", "return-type": "json"}}}}"#
    );
    env.write("work/bar.json", bar);
    let style = "* { background: #000000; } #custom-it { background: #12ab34; padding: 0 90px; } \
                 #custom-it.error { background: #ab1234; }";
    env.write("work/style.css", style);
    let run = in_session(
        &env,
        &["with-desktop", "--wayland"],
        &format!(
            "{SEES}
             waybar --config bar.json --style style.css >bar.log 2>&1 &
             bar=$!
             sees 12ab34 greeting
             sesame extension disable greeting
             sees ab1234 error
             kill $bar"
        ),
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: greeting
    out: `greeting` is disabled
    out: error
    "#);
}

/// A text stays on the clipboard of X11 until it is replaced.
#[test]
#[ignore = "needs Xvfb and xclip, which .ci/run installs"]
fn x11_clipboard_is_held() {
    let run = in_session(
        &desktop(),
        &["with-desktop", "--x11"],
        "sesame extension call desktop copy-text 'one text'
         xclip -o -selection clipboard; echo
         pgrep -fc '[h]old-clipboard x11'
         sesame extension call desktop copy-text 'another'
         xclip -o -selection clipboard; echo
         printf 'from elsewhere' | xclip -i -selection clipboard
         sleep 0.5
         pgrep -fc '[h]old-clipboard x11'
         sesame extension call desktop copy-large-text 1000000
         xclip -o -selection clipboard | wc -c",
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: one text
    out: 1
    out: another
    out: 0
    out: 1000000
    "#);
}

/// A text stays on the clipboard of Wayland where the compositor has a protocol for it.
#[test]
#[ignore = "needs sway, weston and wl-clipboard, which .ci/run installs"]
fn wayland_clipboard_is_held() {
    let env = desktop();
    let script =
        "sesame extension call desktop copy-text 'one text' && wl-paste --no-newline && echo";
    insta::assert_snapshot!(in_session(&env, &["with-desktop", "--wayland"], script), @r#"
    exit 0
    out: one text
    "#);
    insta::assert_snapshot!(in_session(&env, &["with-desktop", "--wayland-without-clipboard"], script), @r#"
    exit 1
    err: error: the extension returned an error: unavailable: the Wayland compositor does not offer `ext-data-control, or wlr-data-control`, which programs without a window need for the clipboard
    "#);
    insta::assert_snapshot!(env.run("extension call desktop copy-text x"), @r#"
    exit 1
    err: error: the extension returned an error: unavailable: this session has no display
    "#);
}

#[test]
#[ignore = "needs gnome-keyring's bus, from .ci/test-servers, and dbus-monitor"]
fn messages_reach_the_session_bus() {
    let run = in_session(
        &desktop(),
        &[],
        "dbus-monitor --session \"type='signal',interface='org.opensesame.Extensions1'\" >signals &
         sleep 0.5
         sesame extension call desktop publish-message greeting.sent 'a payload'
         sesame extension call desktop publish-message greetings.sent 'not granted' 2>/dev/null
         sleep 0.3; kill $!
         grep -A3 'member=Published' signals | sed 's/.*path=/path=/'",
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: path=/org/opensesame/Extensions; interface=org.opensesame.Extensions1; member=Published
    out:    string "local/file/desktop@sha256:DIGEST"
    out:    string "greeting.sent"
    out:    string "a payload"
    "#);
}

#[test]
#[ignore = "needs docker-registry, from .ci/test-servers"]
fn https_trusts_system_certificates() {
    let env = desktop();
    let fetch = "sesame extension call desktop fetch https $SESAME_TEST_REGISTRY /v2/";
    let run = in_session(
        &env,
        &["with-registry", "--tls"],
        &format!(
            "sesame extension grant desktop network=$SESAME_TEST_REGISTRY >/dev/null
             SSL_CERT_FILE=$SESAME_TEST_REGISTRY_CA {fetch}
             {fetch} 2>&1 | grep -o 'Tls[A-Za-z]*' | head -1"
        ),
    );
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: (200, "{}")
    out: TlsProtocolError
    "#);
}
