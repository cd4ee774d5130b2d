//! `sesame demo`

use crate::support::env;

/// What a reader sees on standard output, in this order.
const STORY: [&str; 14] = [
    ", with three extensions in it.\n",
    "\n$ sesame extension install 127.0.0.1:",
    "\ninstalled greeting-extension 0.1.0 from 127.0.0.1:",
    "\n$ sesame extension list\ngreeting-extension\t0.1.0\t",
    "\n$ sesame extension call greeting-extension greet World\nHello, World!\n",
    "\n$ sesame extension revoke greeting-extension config-read\n",
    "\n$ sesame extension why greeting-extension\n",
    "sesame extension grant greeting-extension config-read\n",
    "\n$ sesame call greeting-extension greet World\nHello, World!\n",
    "\n$ sesame call list-tools sum [19,23]\n42\n",
    "\n$ sesame call daily-note add Milk\n- ",
    "\n$ sesame update daily-note --accept-new-capabilities\n",
    "\n$ sesame extension rollback daily-note --offline\n",
    "\nNext, with a registry of yours:\n",
];

#[test]
fn demo_cleans_up_after_itself() {
    let env = env();
    let mut command = env.command(["demo"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("http_proxy", "http://127.0.0.1:1");
    let run = env.finish(command, b"").ok();
    let text = run.text();
    let mut rest = text.as_str();
    for part in STORY {
        (_, rest) = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing: {run}"));
    }
    for refused in ["`open-sesame:host/config-read@0.1.0`", "network=notes.example.com"] {
        assert!(run.stderr.contains(refused), "{run}");
    }
    assert_eq!(env.files(), [], "the home is untouched");
}
