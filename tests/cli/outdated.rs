//! `sesame extension outdated` and `sesame registry tags`

use crate::support::{ECHO, GREETING, env, publish, registry};

/// `outdated` reports newer, moved and missing versions, and changes nothing.
#[test]
fn outdated_reports_and_keeps() {
    let (env, registry) = (env(), registry());
    for (repository, tag) in
        [("newer", "1.9.0"), ("moved", "1.0.0"), ("same", "v2.0.0"), ("tagged", "stable")]
    {
        publish(&registry, &format!("my-org/{repository}:{tag}"), &GREETING, &[]);
        env.run(&format!("extension install {}/my-org/{repository}:{tag}", registry.host())).ok();
    }
    env.write("work/file.wasm", &*ECHO);
    env.run("extension install ./file.wasm").ok();
    for tag in [
        "1.10.0",
        "1.9.1",
        "2.0.0-rc.1",
        "latest",
        "sha256-0000000000000000000000000000000000000000000000000000000000000000.sig",
    ] {
        publish(&registry, &format!("my-org/newer:{tag}"), &ECHO, &[]);
    }
    publish(&registry, "my-org/moved:1.0.0", &ECHO, &[]);
    let before = env.files();
    insta::assert_snapshot!(env.run("extension outdated").hiding_registry(&registry), @r#"
    exit 0
    out: file	0.0.0		from a file
    out: moved	1.0.0	1.0.0	the tag has moved
    out: newer	1.9.0	1.10.0	there is a newer one
    out: same	v2.0.0	v2.0.0	the newest
    out: tagged	stable		the tag is not a version
    "#);
    assert_eq!(env.files(), before);
    insta::assert_snapshot!(env.run("extension outdated same missing").hiding_registry(&registry), @r#"
    exit 3
    out: same	v2.0.0	v2.0.0	the newest
    err: error: there is no extension `missing`
    err: hint: sesame extension list
    "#);
    let tags = env.run(&format!("registry tags {}/my-org/newer", registry.host()));
    insta::assert_snapshot!(tags.hiding_registry(&registry), @r#"
    exit 0
    out: 2.0.0-rc.1
    out: 1.10.0
    out: 1.9.1
    out: 1.9.0
    out: latest
    "#);
    let none = env.run(&format!("registry tags {}/my-org/none", registry.host()));
    assert_eq!(none.code, 3, "{none}");
    let offline = env.run("--offline extension outdated newer");
    assert_eq!(offline.code, 8, "{offline}");
}
