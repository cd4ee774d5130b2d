//! Grants, and the limits of what they open.

use crate::support;

use core_types::{Config, parse_toml};
use extension_host::{Arguments, CallError, Host, Permissions};
use support::{
    ECHO, GREETING, GREETING_SDK, HOSTILE, PROBE, call, extension, permissions, text,
    try_extension, wat,
};

fn config(text: &str) -> Config {
    parse_toml(text).expect(text).value
}

#[test]
fn granted_config_is_read() {
    for binary in [&*GREETING, &*GREETING_SDK] {
        let config = config("greeting.template = \"Servus, {}.\"");
        let granted =
            Permissions { config: config.clone(), ..permissions("config-read = true", "") };
        assert_eq!(
            text(&try_extension(binary, granted).expect("links"), "greet", &["World"]),
            "Servus, World."
        );
        let elsewhere =
            Permissions { config, ..permissions("config-read = { keys = [\"other.*\"] }", "") };
        assert_eq!(
            text(&try_extension(binary, elsewhere).expect("links"), "greet", &["World"]),
            "Hello, World!"
        );
    }
}

/// An interface without a grant is refused by name before any code runs.
#[test]
fn ungranted_interface_is_named_early() {
    let refused =
        try_extension(&GREETING, permissions("notification = true", "")).err().expect("refused");
    insta::assert_snapshot!(refused, @"`open-sesame:host/config-read@0.1.1` needs the capability `config-read`, which is not granted");
}

/// Streams, clocks and terminals are there and lead nowhere.
#[test]
fn wasi_basics_are_there_and_inert() {
    let survey = text(&extension(&PROBE, ""), "survey", &[]);
    insta::assert_snapshot!(survey.replace("), (", ")\n("), @r#"
    [("arguments", "[\"extension\"]")
    ("working directory", "None")
    ("environment", "[]")
    ("directories", "0")
    ("terminals", "false,false,false")
    ("input read", "closed")
    ("input read, waiting", "closed")
    ("input skipped", "closed")
    ("input into output", "closed")
    ("output written and flushed", "done")
    ("zeroes written", "done")
    ("room in output", "true")
    ("output polled", "2")
    ("waiting for the past", "()")
    ("clock goes on", "true")
    ("clocks tell", "true")
    ("random bytes", "7")
    ("random numbers differ", "true")
    ("insecure bytes and seed", "true")]
    "#);
}

#[test]
fn all_refusals_are_named_at_once() {
    let component = wat(r#"(component
        (import "open-sesame:host/config-read@0.1.0" (instance (export "get" (func (param "key" string) (result (option string))))))
        (import "acme:db/store@1.0.0" (instance (export "f" (func))))
        (type $number u32)
        (import "types:only/this@9.0.0" (instance (alias outer 1 $number (type $n)) (export "t" (type (eq $n)))))
        (import "plain" (func)))"#);
    let refused = try_extension(&component, Permissions::default()).err().expect("refused");
    insta::assert_snapshot!(refused, @"`open-sesame:host/config-read@0.1.0` needs the capability `config-read`, which is not granted; `acme:db/store@1.0.0` is not provided by sesame; `plain` is not provided by sesame");
}

#[test]
fn embedder_adds_an_interface() {
    let component = wat(r#"(component
        (import "acme:shop/stock@1.2.0" (instance $stock (export "count" (func (result u32)))))
        (core func $count (canon lower (func $stock "count")))
        (core module $m (import "" "count" (func $count (result i32))) (func (export "f") (result i32) (call $count)))
        (core instance $i (instantiate $m (with "" (instance (export "count" (func $count))))))
        (func (export "f") (result u32) (canon lift (core func $i "f"))))"#);
    let host = Host::new().expect("a host").with_interface("acme:shop/stock", "1.0.0", |linker| {
        linker.instance("acme:shop/stock@1.0.0")?.func_wrap("count", |_, (): ()| Ok((3_u32,)))
    });
    let code = host.compile(&component).expect("it compiles");
    let extension = host.extension(&code, Permissions::default()).expect("it links");
    assert_eq!(text(&extension, "f", &[]), "3");
    assert!(try_extension(&component, Permissions::default()).is_err(), "and only there");
}

#[test]
fn misshapen_interface_does_not_link() {
    let component = wat(r#"(component
        (import "wasi:random/random@0.2.0" (instance (export "get-random-u64" (func (result string))))))"#);
    let error = try_extension(&component, Permissions::default()).err().expect("does not fit");
    assert!(matches!(error, extension_host::HostError::Link(_)), "{error:?}");
}

#[test]
fn ungranted_wasi_gives_nothing() {
    let echo = extension(&ECHO, "");
    let read = call(&echo, "read-file", &["/etc/hostname"]).outcome.expect("the call works");
    assert!(read.is_err(), "no file can be read: {}", read.to_text());
    assert_eq!(text(&echo, "environment", &[]), "[]");
}

/// The granted configuration is the environment, and no variable of the session is.
#[test]
fn environment_is_granted_config() {
    let config = config("greeting.template = \"x\"\nTOKEN = \"y\"\nhidden.z = \"z\"");
    let granted = permissions("config-read = { keys = [\"greeting.*\", \"TOKEN\"] }", "");
    let echo = try_extension(&ECHO, Permissions { config, ..granted }).expect("links");
    assert_eq!(text(&echo, "environment", &[]), r#"[("TOKEN", "y"), ("GREETING_TEMPLATE", "x")]"#);
}

#[test]
fn output_is_apart_from_result() {
    let report = call(&extension(&ECHO, ""), "print", &["hello"]);
    assert_eq!(String::from_utf8_lossy(&report.output), "hello\nhello\n");
    assert!(report.outcome.expect("returns").is_empty());
    let report = call(&extension(&ECHO, ""), "log-it", &["hello"]);
    assert_eq!(
        String::from_utf8_lossy(&report.output),
        "[debug] hello\n[info] hello\n[warn] hello\n[error] hello\n"
    );
}

#[test]
fn panic_message_is_in_output() {
    let report = call(&extension(&HOSTILE, ""), "panic", &["boom"]);
    insta::assert_snapshot!(report.outcome.expect_err("crashed"), @"the extension crashed: wasm `unreachable` instruction executed");
    assert!(String::from_utf8_lossy(&report.output).contains("boom"));
}

#[test]
fn exit_is_not_a_result() {
    for code in ["0", "1", "5", "6", "9", "101"] {
        let report = call(&extension(&HOSTILE, ""), "exit", &[code]);
        let expected: i32 = i32::from(code != "0");
        assert!(
            matches!(report.outcome, Err(CallError::Exited { status }) if status == expected),
            "{report:?}"
        );
    }
}

#[test]
fn functions_are_found_by_name() {
    let echo = extension(&ECHO, "");
    for name in ["sum", "test:echo/echo#sum", "test:echo/echo@0.1.0#sum"] {
        assert_eq!(text(&echo, name, &["[1, 2, 3]"]), "6", "{name}");
    }
    for name in ["summ", "test:echo/other#sum", "test:echo/echo@0.2.0#sum", "", "#sum", "echo-"] {
        let error = call(&echo, name, &["[1]"]).outcome.expect_err(name);
        assert!(
            matches!(error, CallError::NoSuchFunction { exports, .. } if exports.len() > 30),
            "{name}"
        );
    }
}

#[test]
fn ambiguous_function_needs_interface() {
    let component = wat(r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $x (export "f" (func $f)))
        (export "a:b/one@1.0.0" (instance $x))
        (export "a:b/two" (instance $x))
        (export "internal" (instance $x)))"#);
    let extension = extension(&component, "");
    let error = call(&extension, "f", &[]).outcome.expect_err("ambiguous");
    let CallError::Ambiguous { candidates, .. } = error else { panic!("{error}") };
    let names: Vec<_> = candidates.iter().map(|function| function.qualified_name()).collect();
    assert_eq!(names, ["a:b/one@1.0.0#f", "a:b/two#f"]);
    assert!(call(&extension, "a:b/one#f", &[]).outcome.is_ok());
}

#[test]
fn unfit_arguments_are_named() {
    let echo = extension(&ECHO, "");
    let message = |function: &str, arguments: &[&str]| {
        call(&echo, function, arguments).outcome.expect_err(function).to_string()
    };
    insta::assert_snapshot!(message("echo-u8", &["256"]), @"argument 1 (`value`) is not of type u8: 256 is out of range");
    insta::assert_snapshot!(message("echo-enum", &["purple"]), @"argument 1 (`value`) is not of type enum { red, green, blue }: `purple` is none of `red`, `green`, `blue`");
    insta::assert_snapshot!(message("sum", &[]), @"the function takes 1 argument, not 0: (numbers: list<s64>)");
    insta::assert_snapshot!(message("join", &["[]", "a", "b"]), @"the function takes 1 to 2 arguments, not 3: (parts: list<string>, separator: option<string>)");
    let json = |text: &str| {
        let report = echo.call_blocking("echo-record", &Arguments::Json(text.to_owned()));
        report.outcome.expect_err(text).to_string()
    };
    insta::assert_snapshot!(json("{}"), @"the arguments are not a JSON array: it is an object");
    insta::assert_snapshot!(json("[1"), @"the arguments are not a JSON array: EOF while parsing a list at line 1 column 2");
    insta::assert_snapshot!(json(r#"[{"name": "a", "age": 300}]"#), @"argument 1 (`value`) is not of type record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }: .age: 300 is out of range");
    insta::assert_snapshot!(json(r#"[{"name": "a", "agee": 3}]"#), @"argument 1 (`value`) is not of type record { name: string, age: u8, home: record { street: string, lines: list<string>, postcode: option<u32> }, nickname: option<string>, tags: list<string> }: there is no field `agee`");
}

#[test]
fn trailing_options_can_be_left_out() {
    let echo = extension(&ECHO, "");
    assert_eq!(text(&echo, "join", &[r#"["a", "b"]"#]), "a, b");
    assert_eq!(
        text(&echo, "join", &[r#"["a", "b"]"#, "none"]),
        "anoneb",
        "a text is taken as it stands"
    );
    assert_eq!(text(&echo, "join", &[r#"["a", "b"]"#, "%none"]), "a, b");
    let report = echo.call_blocking("join", &Arguments::Json(r#"[["a", "b"], null]"#.to_owned()));
    assert_eq!(report.outcome.expect("works").to_text(), "a, b");
}

#[test]
fn returned_error_is_not_a_value() {
    let report = call(&extension(&ECHO, ""), "fail", &["no"]);
    let returned = report.outcome.expect("the call itself worked");
    assert!(returned.is_err());
    assert_eq!(returned.to_text(), "no");
    assert_eq!(returned.to_json(), serde_json::json!({ "err": "no" }));
}
