//! Extensions of Suffiks, written in the text format, with all fifteen functions.

use crate::support;

use std::sync::Arc;

use core_types::Owner;
use extension_host::{
    BackendError, Backends, CallError, CallReport, Host, HostError, Permissions, ResourceName,
    Resources, SecretStore, ValidationProblem, Workload, WorkloadAction, WorkloadAnswer,
    WorkloadOutcome, WorkloadRequest, plural_of,
};
use serde_json::{Value, json};
use support::{permissions, try_extension, wat};

/// The exports of every extension, unless a test has its own.
const DEFAULTS: [(&str, &str); 6] = [
    ("Sync", r#"(func (export "Sync"))"#),
    ("Delete", r#"(func (export "Delete") (result i64) i64.const 0)"#),
    ("Defaulting", r#"(func (export "Defaulting") (result i64) i64.const 0)"#),
    ("Validate", r#"(func (export "Validate") (param i32))"#),
    (
        "malloc",
        r#"(global $top (mut i32) (i32.const 8192)) (func (export "malloc") (param $size i32) (result i32)
            global.get $top (global.set $top (i32.add (global.get $top) (local.get $size))))"#,
    ),
    ("free", r#"(func (export "free") (param i32))"#),
];

/// Makes an extension with these imports and exports, and these bytes at these addresses.
fn module(imports: &str, exports: &[(&str, &str)], data: &[(u32, &[u8])]) -> Vec<u8> {
    let is_given = |name: &str| exports.iter().any(|(given, _)| *given == name);
    let defaults = DEFAULTS.iter().filter(|(name, _)| !is_given(name)).map(|(_, text)| *text);
    let all: Vec<_> = exports.iter().map(|(_, text)| *text).chain(defaults).collect();
    let escaped =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let data: Vec<_> = data
        .iter()
        .map(|(at, bytes)| format!("(data (i32.const {at}) \"{}\")", escaped(bytes)))
        .collect();
    // Any module that imports `suffiks` is such an extension.
    wat(&format!(
        r#"(module (import "suffiks" "GetOwner" (func $owner (result i64))) {imports}
            (memory (export "memory") 1) {} {})"#,
        data.join(" "),
        all.join(" ")
    ))
}

fn workload() -> Workload {
    Workload::new(json!({
        "apiVersion": "suffiks.com/v1", "kind": "Application",
        "metadata": {"name": "app", "namespace": "ns", "labels": {"a": "1"}},
        "spec": {"mine": 1, "other": 2},
    }))
    .expect("a workload")
}

fn ask(
    binary: &[u8],
    permissions: Permissions,
    request: WorkloadRequest,
) -> CallReport<WorkloadOutcome> {
    try_extension(binary, permissions).expect("it links").call_workload_blocking(request)
}

fn request(action: WorkloadAction) -> WorkloadRequest {
    WorkloadRequest {
        action,
        workload: workload(),
        old: None,
        spec_keys: None,
        resources: Resources::default(),
    }
}

fn synced(report: CallReport<WorkloadOutcome>) -> Value {
    match report.outcome.expect("it syncs").answer {
        WorkloadAnswer::Synced(changes) => {
            changes.apply_containers(changes.apply(workload())).into_document()
        }
        other => panic!("{other:?}"),
    }
}

/// Encodes a protobuf message of texts, by their field numbers.
fn message(fields: &[(u8, &str)]) -> Vec<u8> {
    fields
        .iter()
        .flat_map(|(number, text)| [&[number << 3 | 2, text.len() as u8], text.as_bytes()].concat())
        .collect()
}

#[test]
fn sync_adds_everything() {
    let (pair, container) = (
        message(&[(1, "K"), (2, "V")]),
        message(&[(1, "side"), (2, "img"), (3, "run"), (4, "-x")]),
    );
    // Some programs write these: an empty `imagePullPolicy`, and `stdin` that is false.
    let container = [container, b"\x72\x00\x80\x01\x00".to_vec()].concat();
    let from = [message(&[(1, "s")]), vec![3 << 3, 1]].concat();
    let patch = br#"{"spec":{"other":null,"new":[1]}}"#;
    let functions = [
        "AddEnv",
        "AddLabel",
        "AddAnnotation",
        "AddEnvFrom",
        "AddInitContainer",
        "AddSidecar",
        "MergePatch",
    ];
    let imports: String = functions
        .iter()
        .map(|name| format!(r#"(import "suffiks" "{name}" (func ${name} (param i32 i32)))"#))
        .collect();
    let given = [
        (0, pair.len()),
        (0, pair.len()),
        (0, pair.len()),
        (64, from.len()),
        (128, container.len()),
        (128, container.len()),
        (256, patch.len()),
    ];
    let calls: String = functions
        .iter()
        .zip(given)
        .map(|(name, (at, length))| format!("(call ${name} (i32.const {at}) (i32.const {length}))"))
        .collect();
    let binary = module(
        &imports,
        &[("Sync", &format!(r#"(func (export "Sync") {calls})"#))],
        &[(0, &pair), (64, &from), (128, &container), (256, patch)],
    );
    let side = json!([{"name": "side", "image": "img", "command": ["run"], "args": ["-x"]}]);
    assert_eq!(
        synced(ask(&binary, Permissions::default(), request(WorkloadAction::Sync))),
        json!({
            "apiVersion": "suffiks.com/v1", "kind": "Application",
            "metadata": {"name": "app", "namespace": "ns", "labels": {"a": "1", "K": "V"}, "annotations": {"K": "V"}},
            "spec": {
                "mine": 1, "new": [1], "env": [{"name": "K", "value": "V"}],
                "envFrom": [{"secretRef": {"name": "s", "optional": false}}],
                "initContainers": side, "sidecars": side,
            },
        })
    );
}

/// Makes an extension that returns a function's bytes through `Defaulting`.
fn gives_back(function: &str) -> Vec<u8> {
    module(
        &format!(r#"(import "suffiks" "{function}" (func $f (result i64)))"#),
        &[
            ("Defaulting", r#"(func (export "Defaulting") (result i64) call $f)"#),
            ("Validate", r#"(func (export "Validate") (param i32) call $f drop)"#),
        ],
        &[],
    )
}

/// The spec that an extension gets has only the keys that its schema names.
#[test]
fn spec_is_cut_to_the_schema() {
    let spec = |keys: Option<&[&str]>| {
        let spec_keys = keys.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect());
        let report = ask(
            &gives_back("GetSpec"),
            Permissions::default(),
            WorkloadRequest { spec_keys, ..request(WorkloadAction::Default) },
        );
        match report.outcome.expect("it answers").answer {
            WorkloadAnswer::Defaulted(workload) => workload.into_document(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(spec(None)["mine"], 1);
    assert_eq!(spec(None)["other"], 2, "what was given back is merged into the whole");
    assert_eq!(
        (spec(Some(&["mine"]))["mine"].clone(), spec(Some(&["mine"])).get("other").cloned()),
        (json!(1), None)
    );
}

/// The owner is a message, and the old spec is there while validating.
#[test]
fn owner_and_old_spec_are_given() {
    let report =
        ask(&gives_back("GetOwner"), Permissions::default(), request(WorkloadAction::Default));
    let error = report.outcome.expect_err("a message is no JSON").to_string();
    assert!(error.contains("`Defaulting` bytes that are not a valid JSON object"), "{error}");

    let old = WorkloadRequest { old: Some(workload()), ..request(WorkloadAction::Validate(1)) };
    assert!(ask(&gives_back("GetOld"), Permissions::default(), old).outcome.is_ok());
    let error =
        ask(&gives_back("GetOld"), Permissions::default(), request(WorkloadAction::Default))
            .outcome;
    insta::assert_snapshot!(error.expect_err("not now"), @"the extension violated the module ABI: it called `GetOld` and not during `Validate`");
}

/// Problems of a workload are told, and only while validating.
#[test]
fn problems_are_told_in_validate() {
    let problem = message(&[(1, "spec.mine"), (2, "too small"), (3, "1")]);
    let tell = format!("(call $tell (i32.const 0) (i32.const {}))", problem.len());
    let binary = module(
        r#"(import "suffiks" "ValidationError" (func $tell (param i32 i32)))"#,
        &[
            // Only the deletion is valid.
            (
                "Validate",
                &format!(
                    r#"(func (export "Validate") (param i32) (if (i32.ne (local.get 0) (i32.const 2)) (then {tell})))"#
                ),
            ),
            ("Sync", &format!(r#"(func (export "Sync") {tell})"#)),
        ],
        &[(0, &problem)],
    );
    let validated =
        |kind| match ask(&binary, Permissions::default(), request(WorkloadAction::Validate(kind)))
            .outcome
        {
            Ok(WorkloadOutcome { answer: WorkloadAnswer::Validated(problems), .. }) => problems,
            other => panic!("{other:?}"),
        };
    let expected = ValidationProblem {
        path: "spec.mine".to_owned(),
        detail: "too small".to_owned(),
        value: "1".to_owned(),
    };
    assert_eq!(validated(0), [expected]);
    assert_eq!(validated(2), []);
    let error = ask(&binary, Permissions::default(), request(WorkloadAction::Sync))
        .outcome
        .expect_err("not now");
    insta::assert_snapshot!(error, @"the extension violated the module ABI: it called `ValidationError` and not during `Validate`");
}

#[test]
fn only_granted_resources_are_used() {
    let kind = message(&[(1, "networking.k8s.io"), (2, "v1"), (3, "ingresses")]);
    let resource =
        br#"{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"app"}}"#;
    let at = |function: &str, given: &str| {
        format!("(call ${function} (i32.const 0) (i32.const {}) {given})", kind.len())
    };
    let (whole, name) = (
        format!("(i32.const 256) (i32.const {})", resource.len()),
        "(i32.const 300) (i32.const 0)",
    );
    let imports: String = ["GetResource", "CreateResource", "UpdateResource", "DeleteResource"]
        .iter()
        .map(|name| {
            format!(
                r#"(import "suffiks" "{name}" (func ${name} (param i32 i32 i32 i32) (result i64)))"#
            )
        })
        .collect();
    // Each code below 21 crashes the module.
    let checked = |call: &str| format!("(if (i64.le_u {call} (i64.const 20)) (then unreachable))");
    let binary = module(
        &imports,
        &[
            (
                "Sync",
                &format!(
                    r#"(func (export "Sync") {} {})"#,
                    checked(&at("CreateResource", &whole)),
                    checked(&at("UpdateResource", &whole))
                ),
            ),
            (
                "Delete",
                &format!(
                    r#"(func (export "Delete") (result i64) (drop {}) i64.const 0)"#,
                    at("GetResource", name)
                ),
            ),
        ],
        &[(0, &kind), (256, resource)],
    );
    let granted = permissions("resources = [\"networking.k8s.io/v1/ingresses:create,update\"]", "");
    let report = ask(&binary, granted.clone(), request(WorkloadAction::Sync));
    let resources = report.outcome.expect("it creates").resources;
    let name = ResourceName {
        kind: plural_of("networking.k8s.io/v1", "Ingress").expect("a kind"),
        namespace: "ns".to_owned(),
        name: "app".to_owned(),
    };
    assert_eq!(resources.get(&name).expect("it is there")["metadata"]["namespace"], "ns");

    let report = ask(&binary, Permissions::default(), request(WorkloadAction::Sync));
    assert!(matches!(report.outcome, Err(CallError::Trap { .. })), "forbidden is an answer");
    let refused: Vec<_> =
        report.activity.refused().map(|touch| touch.request.to_string()).collect();
    assert_eq!(refused, ["resources=networking.k8s.io/v1/ingresses:create"]);
    let report = ask(&binary, granted, request(WorkloadAction::Delete));
    assert!(
        report.outcome.is_ok() && report.activity.refused().count() == 1,
        "`get` is not granted"
    );
}

/// Undecodable bytes and addresses outside of memory are clean errors.
#[test]
fn bad_messages_are_clean_errors() {
    let syncs = |imports: &str, body: &str, data: &[u8]| {
        let sync = format!(r#"(func (export "Sync") {body})"#);
        let report = ask(
            &module(imports, &[("Sync", &sync)], &[(0, data)]),
            Permissions::default(),
            request(WorkloadAction::Sync),
        );
        report.outcome.expect_err("refused").to_string()
    };
    let takes = |name: &str| format!(r#"(import "suffiks" "{name}" (func $f (param i32 i32)))"#);
    let mut said = Vec::new();
    for (name, body, data) in [
        ("AddEnv", "(call $f (i32.const 0) (i32.const 4))", &b"\xff\xff\xff\xff"[..]),
        ("AddEnv", "(call $f (i32.const 0) (i32.const 3))", b"\x0a\x01\xff"),
        ("AddEnvFrom", "(call $f (i32.const 0) (i32.const 2))", b"\x18\x07"),
        ("AddSidecar", "(call $f (i32.const 0) (i32.const 2))", b"\x52\x00"),
        ("MergePatch", "(call $f (i32.const 0) (i32.const 1))", b"{"),
        ("MergePatch", "(call $f (i32.const 0) (i32.const 2))", b"[]"),
        ("AddLabel", "(call $f (i32.const 65535) (i32.const 2))", b""),
        ("AddLabel", "(call $f (i32.const -1) (i32.const -1))", b""),
    ] {
        said.push(format!("{name}: {}", syncs(&takes(name), body, data)));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    AddEnv: the extension violated the module ABI: it gave `AddEnv` bytes that are not a valid KeyValue: failed to decode Protobuf message: invalid varint
    AddEnv: the extension violated the module ABI: it gave `AddEnv` bytes that are not a valid KeyValue: failed to decode Protobuf message: KeyValue.name: invalid string value: data is not UTF-8 encoded
    AddEnvFrom: the extension violated the module ABI: it gave `AddEnvFrom` bytes that are not a valid EnvFrom: there is no type 7
    AddSidecar: the extension violated the module ABI: it gave `AddSidecar` bytes that are not a valid Container that sesame can take over: its `livenessProbe` is not supported
    MergePatch: the extension violated the module ABI: it gave `MergePatch` bytes that are not a valid JSON merge patch: EOF while parsing an object at line 1 column 1
    MergePatch: the extension violated the module ABI: it gave `MergePatch` bytes that are not a valid JSON merge patch: it would replace the whole workload
    AddLabel: the extension violated the module ABI: it named 2 bytes at 0xffff, and its memory has 65536
    AddLabel: the extension violated the module ABI: it named 4294967295 bytes at 0xffffffff, and its memory has 65536
    "#);
}

#[test]
fn missing_exports_are_all_named() {
    let binary = module(
        "",
        &[
            ("malloc", r#"(func (export "malloc") (param i64) (result i32) i32.const 0)"#),
            ("free", ""),
        ],
        &[],
    );
    match try_extension(&binary, Permissions::default()) {
        Err(error @ HostError::Exports { .. }) => {
            insta::assert_snapshot!(error, @"an extension of Suffiks has to export `malloc(i32) -> i32`, `free(i32) -> ()`, and this module does not; it exports `malloc(i64) -> i32`, `Sync() -> ()`, `Delete() -> i64`, `Defaulting() -> i64`, `Validate(i32) -> ()`")
        }
        other => panic!("{:?}", other.map(drop)),
    }
    let old = module("", &[("Delete", r#"(func (export "Delete"))"#)], &[]);
    assert!(
        try_extension(&old, Permissions::default()).is_ok(),
        "the first runtime wanted no result"
    );
    let unknown = module(r#"(import "suffiks" "AddEvn" (func (param i32 i32)))"#, &[], &[]);
    insta::assert_snapshot!(try_extension(&unknown, Permissions::default()).map(drop).expect_err("refused"), @"`suffiks.AddEvn` is not provided by sesame; the nearest that it has is `suffiks.AddEnv`");
}

#[test]
fn others_take_no_workloads() {
    let plain = wat("(module)");
    for binary in [&plain, &*support::GREETING] {
        let permissions = permissions("config-read = true", "");
        let report = ask(binary, permissions, request(WorkloadAction::Sync));
        assert!(matches!(report.outcome, Err(CallError::NoWorkloads)));
    }
}

/// A flood of messages is stopped by the bytes that the host holds.
#[test]
fn message_flood_is_stopped() {
    let floods = |name: &str, length: u32, text: &[u8]| {
        let sync = format!(
            r#"(func (export "Sync") (loop (call $f (i32.const 0) (i32.const {length})) (br 0)))"#
        );
        let import = format!(r#"(import "suffiks" "{name}" (func $f (param i32 i32)))"#);
        let binary = module(&import, &[("Sync", &sync)], &[(0, text)]);
        ask(&binary, permissions("", "max_transfer_mib = 1"), request(WorkloadAction::Sync))
            .outcome
            .expect_err("stopped")
    };
    // Empty messages are few enough to be read; those that grow in memory are counted by their size
    // there.
    insta::assert_snapshot!(floods("AddEnv", 0, b""), @"the extension violated the module ABI: it called `AddEnv` after it had told the host 1000 things, which is the limit");
    let many = [b"[".to_vec(), b"0,".repeat(2_000), b"0]".to_vec()].concat();
    let json = [br#"{"a":"#.to_vec(), many, b"}".to_vec()].concat();
    let ports = b"\x32\x00".repeat(2_000);
    for (name, text) in [("MergePatch", json), ("AddSidecar", ports)] {
        let error = floods(name, text.len() as u32, &text);
        assert!(
            matches!(&error, CallError::Limit(over) if over.limit.name == core_types::LimitName::Transfer),
            "{error}"
        );
    }
}

#[test]
fn nested_malloc_is_refused() {
    let nested = r#"(func $malloc (export "malloc") (param i32) (result i32) (drop (call $spec)) i32.const 1024)"#;
    let binary = module(
        r#"(import "suffiks" "GetSpec" (func $spec (result i64)))"#,
        &[
            ("malloc", nested),
            ("Defaulting", r#"(func (export "Defaulting") (result i64) call $spec)"#),
        ],
        &[],
    );
    let error = ask(&binary, Permissions::default(), request(WorkloadAction::Default))
        .outcome
        .expect_err("refused");
    insta::assert_snapshot!(error, @"the extension violated the module ABI: its `malloc` asked the host for bytes");
}

/// A keyring with one secret in it.
struct Keyring;

impl SecretStore for Keyring {
    fn read(&self, _: &Owner, name: &str) -> Result<String, BackendError> {
        if name == "api-token" { Ok("t0ps3cret".to_owned()) } else { Err(BackendError::NotFound) }
    }

    fn store(&self, _: &Owner, _: &str, _: &str) -> Result<(), BackendError> {
        Err(BackendError::NotFound)
    }

    fn remove(&self, _: &Owner, _: &str) -> Result<(), BackendError> {
        Err(BackendError::NotFound)
    }

    fn names(&self, _: &Owner) -> Result<Vec<String>, BackendError> {
        Ok(Vec::new())
    }
}

/// A command gets secrets and configuration as far as they are granted.
#[test]
fn command_gets_granted_environment() {
    let secret = |name: &str| [message(&[(1, name)]), vec![3 << 3, 1]].concat();
    let (known, unknown, map) = (secret("api-token"), secret("other"), message(&[(1, "anything")]));
    let add = |at: u32, bytes: &[u8]| {
        format!("(call $from (i32.const {at}) (i32.const {}))", bytes.len())
    };
    let sync = [add(0, &known), add(64, &unknown), add(128, &map)].concat();
    let binary = module(
        r#"(import "suffiks" "AddEnvFrom" (func $from (param i32 i32)))"#,
        &[("Sync", &format!(r#"(func (export "Sync") {sync})"#))],
        &[(0, &known), (64, &unknown), (128, &map)],
    );
    let host = Host::new().expect("a host");
    let host = host.with_backends(Backends { secrets: Arc::new(Keyring), ..Backends::default() });
    let code = host.compile(&binary).expect("it compiles");
    let environment = |capabilities: &str| {
        let config = serde_json::from_str(r#"{"MODE": "dev", "HIDDEN": "x", "lower": "y"}"#)
            .expect("a configuration");
        let permissions = Permissions { config, ..permissions(capabilities, "") };
        let extension = host.extension(&code, permissions).expect("it links");
        let report = extension.call_workload_blocking(request(WorkloadAction::Environment));
        let WorkloadAnswer::Environment(environment) = report.outcome.expect("it answers").answer
        else {
            panic!("other")
        };
        let set = environment.variables.iter().map(|(name, value)| format!("{name}={value}"));
        let refused = environment
            .refused
            .iter()
            .map(|refused| format!("{}: {:?}", refused.name, refused.reason));
        set.chain(refused).collect::<Vec<_>>()
    };
    assert_eq!(environment(""), [""; 0]);
    assert_eq!(
        environment("secret-read = [\"api-token\"]"),
        [""; 0],
        "the variable is not granted"
    );
    assert_eq!(environment("exec-env = [\"API_TOKEN\"]"), [""; 0], "the secret is not granted");
    assert_eq!(
        environment(
            "config-read = { keys = [\"MODE\", \"lower\"] }\nsecret-read = [\"api-token\", \"other\"]\n\
             exec-env = [\"API_TOKEN\", \"MODE\", \"HIDDEN\", \"LOWER\"]"
        ),
        ["API_TOKEN=t0ps3cret", "MODE=dev", "other: Secret(NotFound)"]
    );
}
