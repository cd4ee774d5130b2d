//! Programs: arguments, streams and exit statuses; and the explanations of failed calls.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::support::{call, extension, permissions, try_extension, wat};
use extension_host::{CallError, Extension, OutputSink, Program};

/// A sink that keeps its input, or whose reader is gone.
#[derive(Default)]
struct Kept {
    bytes: Mutex<Vec<u8>>,
    is_closed: bool,
}

impl OutputSink for Kept {
    fn write(&self, bytes: &[u8], _: Instant) -> io::Result<()> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.bytes.lock().expect("lock").extend_from_slice(bytes);
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("lock")).into_owned()
    }
}

/// Makes a module that prints its arguments, one after the other, to a descriptor, and then ends
/// like this.
fn printing(descriptor: u32, end: &str) -> Vec<u8> {
    wat(&format!(
        r#"(module
            (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "args_get" (func $get (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (global $n (mut i32) (i32.const 0))
            (func (export "_start") (loop $again
                (drop (call $sizes (i32.const 0) (i32.const 4)))
                (drop (call $get (i32.const 1024) (i32.const 2048)))
                (i32.store (i32.const 16) (i32.const 2048))
                (i32.store (i32.const 20) (i32.load (i32.const 4)))
                (drop (call $write (i32.const {descriptor}) (i32.const 16) (i32.const 1) (i32.const 24)))
                {end}))
            (func (export "argc") (result i32)
                (drop (call $sizes (i32.const 0) (i32.const 4))) (i32.load (i32.const 0))))"#
    ))
}

fn run(extension: &Extension, program: Program) -> Result<i32, CallError> {
    extension
        .run_program_blocking(program, std::future::pending())
        .expect("not interrupted")
        .outcome
}

#[test]
fn program_gets_its_arguments() {
    let program = extension(&printing(1, ""), "");
    let (stdout, stderr) = (Arc::new(Kept::default()), Arc::new(Kept::default()));
    let started = Program::new(["-x", "ü"]).with_streams(stdout.clone(), stderr.clone());
    assert_eq!(run(&program, started).expect("ran"), 0);
    let name = permissions("", "").owner.name;
    assert_eq!((stdout.text(), stderr.text()), (format!("{name}\0-x\0ü\0"), String::new()));
}

/// `call` gives every function the name of the extension, and a program its arguments.
#[test]
fn called_program_gets_arguments() {
    let program = extension(&printing(1, ""), "");
    assert_eq!(crate::support::text(&program, "argc", &[]), "1");
    let report = call(&program, "_start", &["a", "b"]);
    assert!(report.outcome.expect("returned").is_empty());
    assert!(report.output.ends_with(b"\0a\0b\0"), "{:?}", report.output);
    let report =
        program.call_blocking("_start", &extension_host::Arguments::words([b"\xff".as_slice()]));
    insta::assert_snapshot!(report.outcome.expect_err("refused"), @"argument 1 (`argv[1]`) is not of type string: not UTF-8 from byte 0 on");
}

#[test]
fn exit_status_is_passed_on() {
    for status in [0, 1, 3, 125, 126, 134, 255] {
        let program = extension(&printing(1, &format!("(call $exit (i32.const {status}))")), "");
        assert_eq!(run(&program, Program::default()).expect("ran"), status);
        match call(&program, "_start", &[]).outcome {
            Ok(returned) => assert!(status == 0 && returned.is_empty()),
            Err(CallError::Exited { status: found }) => assert_eq!(found, status),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn closed_output_ends_the_program() {
    let program = extension(&printing(1, "(loop (br 0))"), "");
    let closed = Kept { is_closed: true, ..Kept::default() };
    let started = Program::default().with_streams(Arc::new(closed), Arc::new(Kept::default()));
    assert!(matches!(run(&program, started), Err(CallError::OutputClosed)));
}

/// Passed output is not held, so that the limit of output does not count it; the kept part of
/// standard error is bounded.
#[test]
fn passed_output_is_not_limited() {
    let repeats = "(global.set $n (i32.add (global.get $n) (i32.const 1)))
        (br_if $again (i32.lt_u (global.get $n) (i32.const 200)))";
    let program = extension(&printing(2, repeats), "max_output_kib = 1");
    let stderr = Arc::new(Kept::default());
    let words =
        Program::new(["a".repeat(1000)]).with_streams(Arc::new(Kept::default()), stderr.clone());
    let report =
        program.run_program_blocking(words, std::future::pending()).expect("not interrupted");
    assert_eq!(report.outcome.expect("ran"), 0);
    assert!(stderr.text().len() > 100_000, "{}", stderr.text().len());
    assert_eq!((report.output.len(), report.stderr_tail.len()), (1024, 2048));
}

#[test]
fn library_is_not_a_program() {
    let library = extension(&wat("(module (func (export \"f\")))"), "");
    assert!(library.program().is_none());
    insta::assert_snapshot!(run(&library, Program::default()).expect_err("refused"), @"the extension is not a program: it exports neither `wasi:cli/run` nor `_start`");
}

#[test]
fn interrupted_program_is_cancelled() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    let host = extension_host::Host::new().expect("a host");
    let host = host.observed_by(move |call| {
        noted.lock().expect("lock").push((call.function.clone(), call.outcome))
    });
    let code = host.compile(&printing(1, "(loop (br 0))")).expect("compiles");
    let program = host.extension(&code, permissions("", "")).expect("links");
    assert!(program.run_program_blocking(Program::default(), std::future::ready(())).is_none());
    let soon = async { tokio::time::sleep(std::time::Duration::from_millis(20)).await };
    assert!(program.run_program_blocking(Program::default(), soon).is_none());
    let seen = seen.lock().expect("lock").clone();
    assert_eq!(seen, [("_start".to_owned(), core_types::CallOutcome::Cancelled)]);
}

#[test]
fn component_run_returns_its_status() {
    for (result, expected) in [(0, 0), (1, 1)] {
        let component = wat(&format!(
            r#"(component
                (core module $m (func (export "run") (result i32) i32.const {result}))
                (core instance $i (instantiate $m))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $r (export "run" (func $run)))
                (export "wasi:cli/run@0.2.3" (instance $r)))"#
        ));
        let program = extension(&component, "");
        assert_eq!(run(&program, Program::default()).expect("ran"), expected);
        assert_eq!(
            call(&program, "run", &["ignored"]).outcome.expect("returned").is_err(),
            expected == 1
        );
    }
}

/// `exit(ok)` ends a program well, `exit(err)` with 1 and `exit-with-code` with its code, whatever
/// `run` would have returned.
#[test]
fn component_exit_is_its_status() {
    let (result, code) = (r#""status" (result)"#, r#""status-code" u8"#);
    for (function, parameter, status) in
        [("exit", result, 0), ("exit", result, 1), ("exit-with-code", code, 7)]
    {
        let component = wat(&format!(
            r#"(component
                (import "wasi:cli/exit@0.2.3" (instance $exit
                    (export "{function}" (func (param {parameter})))))
                (core func $exit (canon lower (func $exit "{function}")))
                (core module $m
                    (import "host" "exit" (func $exit (param i32)))
                    (func (export "run") (result i32) (call $exit (i32.const {status})) unreachable))
                (core instance $i (instantiate $m
                    (with "host" (instance (export "exit" (func $exit))))))
                (func $run (result (result)) (canon lift (core func $i "run")))
                (instance $r (export "run" (func $run)))
                (export "wasi:cli/run@0.2.3" (instance $r)))"#
        ));
        let program = extension(&component, "");
        assert_eq!(run(&program, Program::default()).expect("ran"), status);
    }
}

/// AssemblyScript's `abort` says in UTF-16 why and where it failed.
#[test]
fn assemblyscript_abort_explained() {
    let module = |message: &str| {
        wat(&format!(
            r#"(module
                (import "env" "abort" (func $abort (param i32 i32 i32 i32)))
                (memory (export "memory") 1)
                (data (i32.const 12) "\0a\00\00\00o\00o\00p\00s\00\1b\00")
                (data (i32.const 36) "\08\00\00\00a\00.\00t\00s\00")
                (func (export "f") (call $abort (i32.const {message}) (i32.const 40) (i32.const 7) (i32.const 3)) unreachable))"#
        ))
    };
    let said = |message: &str| {
        call(&extension(&module(message), ""), "f", &[]).outcome.expect_err("crashed").to_string()
    };
    insta::assert_snapshot!(said("16"), @r"the extension crashed: it aborted: oops\u{1b} (a.ts:7:3)");
    for nowhere in ["0", "3", "65535", "-1"] {
        assert!(
            said(nowhere).contains("it aborted: no message (a.ts:7:3)"),
            "{nowhere}: {}",
            said(nowhere)
        );
    }
}

#[test]
fn wasi_logging_goes_to_the_log() {
    for name in ["wasi:logging/logging", "wasi:logging/logging@0.1.0-draft"] {
        let component = wat(&format!(
            r#"(component
                (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
                (import "{name}" (instance $logging
                    (alias outer 1 $l (type $l0)) (export "level" (type $level (eq $l0)))
                    (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
                (core module $heap (memory (export "memory") 1) (data (i32.const 0) "mainready"))
                (core instance $h (instantiate $heap))
                (core func $log (canon lower (func $logging "log") (memory (core memory $h "memory"))))
                (core module $m (import "" "log" (func $log (param i32 i32 i32 i32 i32)))
                    (func (export "f") (call $log (i32.const 5) (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 5))))
                (core instance $i (instantiate $m (with "" (instance (export "log" (func $log))))))
                (func (export "f") (canon lift (core func $i "f"))))"#
        ));
        let report =
            call(&try_extension(&component, permissions("", "")).expect("links"), "f", &[]);
        assert!(report.outcome.is_ok(), "{report:?}");
        assert_eq!(String::from_utf8_lossy(&report.output), "[critical] main: ready\n");
    }
}
