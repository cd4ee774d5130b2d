//! `sesame demo`

use crate::support::env;

#[test]
fn demo_cleans_up_after_itself() {
    let env = env();
    let mut command = env.command(["demo"]);
    command.env("HTTP_PROXY", "http://127.0.0.1:1").env("http_proxy", "http://127.0.0.1:1");
    let run = env.finish(command, b"").ok();
    let text = run.text();
    let port =
        text.split("127.0.0.1:").nth(1).expect("a port").split(',').next().expect("it").to_owned();
    let run = run.hiding(format!("127.0.0.1:{port}"), "REGISTRY");
    insta::assert_snapshot!(run, @r#"
    exit 0
    out: A registry runs on REGISTRY, with one extension in it.
    out: 
    out: $ sesame extension install REGISTRY/my-org/greeting-extension:0.1.0
    out: installed greeting-extension 0.1.0 from REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST
    out: 
    out: $ sesame extension list
    out: greeting-extension	0.1.0	REGISTRY/my-org/greeting-extension:0.1.0@sha256:DIGEST	config-read	defaults	enabled
    out: 
    out: $ sesame extension call greeting-extension greet World
    out: Hello, World!
    out: 
    out: Next, with a registry of yours:
    out:   sesame extension install ghcr.io/my-org/greeting-extension:0.1.0
    out: or keep this one running:
    out:   sesame demo --serve
    err: signature: unsigned
    err: granted: config-read (its own [config] only)
    "#);
    assert_eq!(env.files(), [], "the home is untouched");
}
