//! Exports of extensions: listing, finding, and the reasons why some cannot be called.

use crate::support;

use extension_host::{CallError, Host};
use support::{call, extension, text, wat};

/// Makes a component that exports these instances, in which `f` is a function that returns its
/// argument.
fn component(exports: &str) -> Vec<u8> {
    wat(&format!(
        r#"(component
            (core module $m (func (export "id") (param i32) (result i32) local.get 0))
            (core instance $i (instantiate $m))
            (func $f (param "x" s32) (result s32) (canon lift (core func $i "id")))
            {exports})"#
    ))
}

/// Makes a component with a resource `counter`, its constructor and a method, in an interface with
/// a plain function.
fn with_resource() -> Vec<u8> {
    wat(r#"(component
        (core module $m (func (export "one") (result i32) i32.const 1)
            (func (export "get") (param i32) (result i32) i32.const 42))
        (core instance $i (instantiate $m))
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m2 (import "" "n" (func $n (param i32) (result i32)))
            (func (export "make") (result i32) i32.const 7 call $n))
        (core instance $j (instantiate $m2 (with "" (instance (export "n" (func $new))))))
        (func $make (result (own $r)) (canon lift (core func $j "make")))
        (func $get (param "self" (borrow $r)) (result s32) (canon lift (core func $i "get")))
        (func $plain (result s32) (canon lift (core func $i "one")))
        (component $c
            (import "r" (type $rr (sub resource)))
            (import "make" (func $make (result (own $rr))))
            (import "get" (func $get (param "self" (borrow $rr)) (result s32)))
            (import "plain" (func $plain (result s32)))
            (export $er "counter" (type $rr))
            (export "[constructor]counter" (func $make) (func (result (own $er))))
            (export "[method]counter.get" (func $get) (func (param "self" (borrow $er)) (result s32)))
            (export "first" (func $make) (func (result (own $er))))
            (export "plain" (func $plain)))
        (instance $out (instantiate $c (with "r" (type $r)) (with "make" (func $make)) (with "get" (func $get))
            (with "plain" (func $plain))))
        (export "my:pkg/counters" (instance $out))
        (export "wasi:http/incoming-handler@0.2.3" (instance $out)))"#)
}

/// Lists every exported function with the reason why it cannot be called.
fn listed(binary: &[u8]) -> String {
    let host = Host::new().expect("a host");
    let functions = host.exports(&host.compile(binary).expect("it compiles"));
    let line = |function: &extension_host::ExportedFunction| match &function.uncallable {
        Some(reason) => format!("{function}: {reason}"),
        None => function.to_string(),
    };
    functions.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn error(binary: &[u8], function: &str) -> String {
    call(&extension(binary, ""), function, &[]).outcome.expect_err(function).to_string()
}

#[test]
fn inline_interface_is_callable() {
    let inline =
        component(r#"(instance $e (export "do" (func $f))) (export "eval" (instance $e))"#);
    assert_eq!(listed(&inline), "eval#do: func(x: s32) -> s32");
    let inline = extension(&inline, "");
    assert_eq!(text(&inline, "do", &["3"]), "3");
    assert_eq!(text(&inline, "eval#do", &["3"]), "3");
    assert!(matches!(call(&inline, "eval", &["3"]).outcome, Err(CallError::NoSuchFunction { .. })));
}

#[test]
fn nested_instances_are_left_out() {
    let nested = component(
        r#"(instance $in (export "f" (func $f))) (instance $out (export "in" (instance $in)) (export "g" (func $f)))
            (export "out" (instance $out))"#,
    );
    assert_eq!(listed(&nested), "out#g: func(x: s32) -> s32");
}

#[test]
fn interface_of_a_package_wins() {
    let both = component(
        r#"(instance $e (export "go" (func $f))) (export "exports" (instance $e)) (export "my:pkg/one" (instance $e))"#,
    );
    let both = extension(&both, "");
    assert_eq!(text(&both, "go", &["3"]), "3");
    assert_eq!(text(&both, "exports#go", &["3"]), "3");
    let two = component(
        r#"(instance $e (export "go" (func $f))) (export "one" (instance $e)) (export "two" (instance $e))"#,
    );
    assert!(matches!(
        call(&extension(&two, ""), "go", &["3"]).outcome,
        Err(CallError::Ambiguous { .. })
    ));
}

#[test]
fn uncallable_functions_have_reasons() {
    insta::assert_snapshot!(listed(&with_resource()), @r"
    my:pkg/counters#plain: func() -> s32
    wasi:http/incoming-handler@0.2.3#plain: func() -> s32
    my:pkg/counters#[constructor]counter: func() -> resource: it works on a resource, which does not outlive a call
    my:pkg/counters#[method]counter.get: func(self: resource) -> s32: it works on a resource, which does not outlive a call
    my:pkg/counters#first: func() -> resource: it takes or returns a resource, which cannot be written as text
    wasi:http/incoming-handler@0.2.3#[constructor]counter: func() -> resource: it handles HTTP requests, which a call is not
    wasi:http/incoming-handler@0.2.3#[method]counter.get: func(self: resource) -> s32: it handles HTTP requests, which a call is not
    wasi:http/incoming-handler@0.2.3#first: func() -> resource: it handles HTTP requests, which a call is not
    ");
    insta::assert_snapshot!(error(&with_resource(), "my:pkg/counters#first"), @"cannot call `my:pkg/counters#first: func() -> resource`: it takes or returns a resource, which cannot be written as text");
    insta::assert_snapshot!(error(&with_resource(), "[method]counter.get"), @"cannot call `my:pkg/counters#[method]counter.get: func(self: resource) -> s32`: it works on a resource, which does not outlive a call");
}

/// A function of a module is called by any name that can be typed. The others are not listed, and say
/// why where they are called.
#[test]
fn module_names_are_called_or_explained() {
    let module = wat(r#"(module
        (func (export "f$1") (result i32) i32.const 1)
        (func (export "acme:shop/stock#count") (result i32) i32.const 2)
        (func (export "count") (result i32) i32.const 3)
        (func (export "cabi_post_acme:shop/stock#count") (param i32))
        (func (export "__wasm_call_ctors"))
        (func (export "_initialize"))
        (func (export "two words"))
        (func (export "gr\u{f6}\u{df}e\1b"))
        (func (export "-x")))"#);
    insta::assert_snapshot!(listed(&module), @r"
    f$1: func() -> s32
    acme:shop/stock#count: func() -> s32
    count: func() -> s32
    ");
    let called = extension(&module, "");
    for (name, value) in [("f$1", "1"), ("acme:shop/stock#count", "2"), ("count", "3")] {
        assert_eq!(text(&called, name, &[]), value, "{name}");
    }
    insta::assert_snapshot!(error(&module, "stock#count"), @"there is no function `stock#count`");
    for own in ["__wasm_call_ctors", "_initialize", "cabi_post_acme:shop/stock#count"] {
        let reason = "by its name it belongs to the toolchain that built the extension";
        assert_eq!(error(&module, own), format!("cannot call `{own}`: {reason}"));
    }
    insta::assert_snapshot!(error(&module, "two words"), @r"cannot call `two words`: a call takes names of at most 128 ASCII characters without spaces, quotes and `\`, which do not begin with `-`");
    for name in ["gr\u{f6}\u{df}e\u{1b}", "-x"] {
        let refused = error(&module, name);
        assert!(refused.starts_with("cannot call `") && !refused.contains('\u{1b}'), "{refused}");
    }
}

#[test]
fn module_functions_have_a_reason() {
    let module = wat(r#"(module
        (func (export "two") (result i32 i64) i32.const 1 i64.const 2)
        (func (export "vector") (param v128 i32))
        (func (export "reference") (param i32) (result funcref) ref.null func)
        (func (export "one") (result i32) i32.const 1))"#);
    insta::assert_snapshot!(listed(&module), @r"
    one: func() -> s32
    two: func() -> (s32, s64): it returns 2 values, and a call returns one
    vector: func(p0: v128, p1: s32): it takes or returns a vector, and a call passes only numbers
    reference: func(p0: s32) -> (ref null func): it takes or returns a reference, and a call passes only numbers
    ");
    insta::assert_snapshot!(error(&module, "two"), @"cannot call `two: func() -> (s32, s64)`: it returns 2 values, and a call returns one");
    let module = extension(&module, "");
    assert_eq!(text(&module, "one", &[]), "1");
    assert_eq!(
        format!("{:?}", module.exports()),
        "[one: func() -> s32]",
        "a list of what can be called"
    );
}
