//! Files that the user names as output: no link of another user is followed on the way to them or
//! in their place.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};

use extension_depot::serve::MemoryRegistry;

use crate::support::{TestEnv, bare, env, publish};

/// The user ID of another user, who need not exist.
const ANOTHER: u32 = 4242;

fn with_extension() -> (TestEnv, MemoryRegistry) {
    let (env, registry) = (env(), MemoryRegistry::start().expect("a registry"));
    publish(&registry, "my-org/x:1.0.0", &bare(1, ""), &[]);
    env.run(&format!("extension install {}/my-org/x:1.0.0", registry.host())).ok();
    env.write("work/home/precious", "precious");
    (env, registry)
}

/// Returns each command that writes where its user says, into this directory.
fn writers(registry: &MemoryRegistry, directory: &str) -> Vec<String> {
    vec![
        format!("man {directory}"),
        format!("man {directory}/below"),
        format!("extension export x --output {directory}/x.tar --force --offline"),
        format!("wasi download {}/my-org/x:1.0.0 --output {directory}", registry.host()),
        format!("extension new project --directory {directory}/project"),
        format!("trust keygen {directory}/release.example.org"),
    ]
}

/// A link in the place of a file is replaced or refused, whoever owns it.
#[test]
fn output_link_is_not_followed() {
    let (env, registry) = with_extension();
    fs::create_dir(env.path("work/out")).expect("made");
    let files =
        ["sesame.1", "sesame-extension.1", "x.tar", "x.wasm", "project", "release.example.org.key"];
    for file in files {
        symlink("../home/precious", env.path("work/out").join(file)).expect("a link");
    }
    symlink("../home/nothing", env.path("work/out/release.example.org.pub")).expect("a link");
    let codes = writers(&registry, "out").iter().map(|line| env.run(line).code).collect::<Vec<_>>();
    assert_eq!(codes, [0, 0, 0, 9, 9, 9]);
    assert_eq!(env.read("work/home/precious"), "precious");
    assert_eq!(fs::read_dir(env.path("work/home")).expect("read").count(), 1);
    for replaced in ["sesame.1", "x.tar"] {
        assert!(
            fs::symlink_metadata(env.path("work/out").join(replaced)).expect("there").is_file(),
            "{replaced}"
        );
    }
}

#[test]
#[ignore = "needs root, to give links away"]
fn writers_refuse_foreign_links() {
    let (env, registry) = with_extension();
    fs::create_dir_all(env.path("work/shared/man")).expect("made");
    for directory in ["work/shared", "work/shared/man"] {
        fs::set_permissions(env.path(directory), fs::Permissions::from_mode(0o1777)).expect("set");
    }
    let link = |target: &str, at: &str| {
        symlink(target, env.path(at)).expect("a link");
        lchown(env.path(at), Some(ANOTHER), None).expect("given away");
    };
    link("../home", "work/shared/way");
    link("../../home/precious", "work/shared/man/sesame.1");
    link("../home/precious", "work/shared/x.tar");
    let before = env.files();
    for line in writers(&registry, "shared/way") {
        let run = env.run(&line);
        assert_eq!(run.code, 9, "{line}: {run}");
        assert!(
            run.stderr.contains("`way` is a link that the user 4242 has put there"),
            "{line}: {run}"
        );
    }
    assert_eq!(env.files(), before, "nothing was written");
    env.run("man shared/man").ok();
    env.run("extension export x --output shared/x.tar --force --offline").ok();
    assert_eq!(env.read("work/home/precious"), "precious");
    assert_eq!(fs::read_dir(env.path("work/home")).expect("read").count(), 1);
}
