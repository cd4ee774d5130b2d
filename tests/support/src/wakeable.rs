//! Components that events can wake, in a few bytes.

/// What such a component does with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnEvent {
    /// It returns well.
    Handles,
    /// It returns an error: the name of the event.
    Returns,
    /// It returns an error: the text of its first value.
    Echoes,
    /// It returns an error: the text of its second value.
    EchoesSecond,
    /// It crashes.
    Crashes,
    /// It never ends.
    Spins,
    /// It takes memory until it gets none, and crashes.
    Grows,
    /// It crashes if this instance has handled an event before, and returns well.
    Remembers,
    /// It writes to its standard output, and never ends.
    Floods,
    /// It waits for an hour.
    Sleeps,
    /// It makes and removes a directory in the first one that it is granted, and returns well.
    Writes,
    /// It publishes on the topic `tick`, for which it imports `ipc-publish`, and returns well.
    Publishes,
}

/// The import of `ipc-publish`, which is linked for those that publish alone.
const PUBLISHING: [&str; 3] = [
    r#"(type $variant (variant (case "denied" string) (case "not-found") (case "unavailable" string)
            (case "too-large" u64) (case "too-many") (case "other" string)))
        (import "open-sesame:host/types@0.1.1" (instance $types (export "error" (type (eq $variant)))))
        (alias export $types "error" (type $error))
        (import "open-sesame:host/ipc-publish@0.1.1" (instance $ipc
            (alias outer 1 $error (type $outer))
            (export "error" (type $error (eq $outer)))
            (export "publish" (func (param "topic" string) (param "payload" string)
                (result (result (error $error)))))))
        (core func $publish (canon lower (func $ipc "publish")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))"#,
    r#"(import "host" "publish" (func $publish (param i32 i32 i32 i32 i32)))
                (data (i32.const 64) "tick")"#,
    r#"(with "host" (instance (export "publish" (func $publish))))"#,
];

/// The standard output, for those that write there.
const FLOODING: [&str; 3] = [
    r#"(import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
        (alias export $io-error "error" (type $error))
        (import "wasi:io/streams@0.2.0" (instance $streams
            (export "output-stream" (type $stream (sub resource)))
            (alias outer 1 $error (type $outer))
            (export "error" (type $error (eq $outer)))
            (type $variant (variant (case "last-operation-failed" (own $error)) (case "closed")))
            (export "stream-error" (type $stream-error (eq $variant)))
            (export "[method]output-stream.blocking-write-and-flush" (func
                (param "self" (borrow $stream)) (param "contents" (list u8))
                (result (result (error $stream-error)))))))
        (alias export $streams "output-stream" (type $stream))
        (import "wasi:cli/stdout@0.2.0" (instance $stdout
            (alias outer 1 $stream (type $outer))
            (export "output-stream" (type $stream (eq $outer)))
            (export "get-stdout" (func (result (own $stream))))))
        (core func $output (canon lower (func $stdout "get-stdout")))
        (core func $write (canon lower
            (func $streams "[method]output-stream.blocking-write-and-flush")
            (memory (core memory $libc "memory"))))"#,
    r#"(import "host" "output" (func $output (result i32)))
                (import "host" "write" (func $write (param i32 i32 i32 i32)))"#,
    r#"(with "host" (instance
                (export "output" (func $output)) (export "write" (func $write))))"#,
];

/// A clock, for those that wait.
const SLEEPING: [&str; 3] = [
    r#"(import "wasi:io/poll@0.2.0" (instance $poll
            (export "pollable" (type $pollable (sub resource)))
            (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
        (alias export $poll "pollable" (type $pollable))
        (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
            (alias outer 1 $pollable (type $outer))
            (export "pollable" (type $pollable (eq $outer)))
            (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
        (core func $subscribe (canon lower (func $clock "subscribe-duration")))
        (core func $block (canon lower (func $poll "[method]pollable.block")))"#,
    r#"(import "host" "subscribe" (func $subscribe (param i64) (result i32)))
                (import "host" "block" (func $block (param i32)))"#,
    r#"(with "host" (instance
                (export "subscribe" (func $subscribe)) (export "block" (func $block))))"#,
];

/// The granted directories, for those that write there.
const WRITING: [&str; 3] = [
    r#"(import "wasi:filesystem/types@0.2.0" (instance $files
            (export "descriptor" (type $descriptor (sub resource)))
            (type $enum (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock"
                "quota" "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted"
                "invalid" "io" "is-directory" "loop" "too-many-links" "message-size"
                "name-too-long" "no-device" "no-entry" "no-lock" "insufficient-memory"
                "insufficient-space" "not-directory" "not-empty" "not-recoverable" "unsupported"
                "no-tty" "no-such-device" "overflow" "not-permitted" "pipe" "read-only"
                "invalid-seek" "text-file-busy" "cross-device"))
            (export "error-code" (type $error (eq $enum)))
            (export "[method]descriptor.create-directory-at" (func
                (param "self" (borrow $descriptor)) (param "path" string)
                (result (result (error $error)))))
            (export "[method]descriptor.remove-directory-at" (func
                (param "self" (borrow $descriptor)) (param "path" string)
                (result (result (error $error)))))))
        (alias export $files "descriptor" (type $descriptor))
        (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
            (alias outer 1 $descriptor (type $outer))
            (export "descriptor" (type $descriptor (eq $outer)))
            (export "get-directories" (func
                (result (list (tuple (own $descriptor) string)))))))
        (core func $directories (canon lower (func $preopens "get-directories")
            (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
        (core func $make (canon lower (func $files "[method]descriptor.create-directory-at")
            (memory (core memory $libc "memory"))))
        (core func $remove (canon lower (func $files "[method]descriptor.remove-directory-at")
            (memory (core memory $libc "memory"))))"#,
    r#"(import "host" "directories" (func $directories (param i32)))
                (import "host" "make" (func $make (param i32 i32 i32 i32)))
                (import "host" "remove" (func $remove (param i32 i32 i32 i32)))
                (data (i32.const 64) "made")"#,
    r#"(with "host" (instance
                (export "directories" (func $directories)) (export "make" (func $make))
                (export "remove" (func $remove))))"#,
];

impl OnEvent {
    /// Returns what it imports: of the component, of its module, and what links them.
    fn imports(self) -> [&'static str; 3] {
        match self {
            Self::Publishes => PUBLISHING,
            Self::Floods => FLOODING,
            Self::Sleeps => SLEEPING,
            Self::Writes => WRITING,
            _ => [""; 3],
        }
    }

    /// Returns the body of the function. Its first parameters are the address and length of the name
    /// of the event and of its values; a value has its name, its case and 16 bytes on its text. The
    /// result is the address of three words: whether it is an error, its text and the length.
    fn body(self) -> &'static str {
        match self {
            Self::Handles => "(i32.store (i32.const 16) (i32.const 0)) (i32.const 16)",
            Self::Returns => {
                "(i32.store (i32.const 16) (i32.const 1))
                 (i32.store (i32.const 20) (local.get 0))
                 (i32.store (i32.const 24) (local.get 1))
                 (i32.const 16)"
            }
            Self::Echoes => {
                "(i32.store (i32.const 16) (i32.const 1))
                 (i32.store (i32.const 20) (i32.load (i32.add (local.get 2) (i32.const 16))))
                 (i32.store (i32.const 24) (i32.load (i32.add (local.get 2) (i32.const 20))))
                 (i32.const 16)"
            }
            Self::EchoesSecond => {
                "(i32.store (i32.const 16) (i32.const 1))
                 (i32.store (i32.const 20) (i32.load (i32.add (local.get 2) (i32.const 40))))
                 (i32.store (i32.const 24) (i32.load (i32.add (local.get 2) (i32.const 44))))
                 (i32.const 16)"
            }
            Self::Crashes => "unreachable",
            Self::Spins => "(loop $again (br $again)) unreachable",
            Self::Grows => {
                "(loop $again (br_if $again
                    (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable"
            }
            Self::Remembers => {
                "(if (i32.load (i32.const 64)) (then unreachable))
                 (i32.store (i32.const 64) (i32.const 1))
                 (i32.store (i32.const 16) (i32.const 0)) (i32.const 16)"
            }
            Self::Floods => {
                "(local $stream i32) (local.set $stream (call $output))
                 (loop $again
                    (call $write (local.get $stream) (i32.const 4096) (i32.const 4096) (i32.const 128))
                    (br $again)) unreachable"
            }
            Self::Sleeps => "(call $block (call $subscribe (i64.const 3600000000000))) unreachable",
            Self::Writes => {
                "(local $directory i32) (call $directories (i32.const 128))
                 (local.set $directory (i32.load (i32.load (i32.const 128))))
                 (call $make (local.get $directory) (i32.const 64) (i32.const 4) (i32.const 136))
                 (call $remove (local.get $directory) (i32.const 64) (i32.const 4) (i32.const 144))
                 (i32.store (i32.const 16) (i32.const 0)) (i32.const 16)"
            }
            Self::Publishes => {
                "(call $publish (i32.const 64) (i32.const 4) (i32.const 64) (i32.const 4)
                    (i32.const 128))
                 (i32.store (i32.const 16) (i32.const 0)) (i32.const 16)"
            }
        }
    }
}

/// Makes a component that exports `open-sesame:extension/events`, and a function `f` that returns
/// this version. Its author's manifest is for the caller to add.
///
/// # Panics
/// Never: the text is valid.
pub fn wakeable(version: u8, on_event: OnEvent) -> Vec<u8> {
    let body = on_event.body();
    let [imports, imported, given] = on_event.imports();
    let text = format!(
        r#"(component
            (core module $libc
                (memory (export "memory") 4)
                (global $next (mut i32) (i32.const 1024))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                    (global.get $next)
                    (global.set $next (i32.add (global.get $next) (local.get 3)))))
            (core instance $libc (instantiate $libc))
            {imports}
            (core module $m
                (import "libc" "memory" (memory 1))
                {imported}
                (func (export "f") (result i32) i32.const {version})
                (func (export "handle") (param i32 i32 i32 i32 i64 i32) (result i32) {body}))
            (core instance $i (instantiate $m (with "libc" (instance $libc)) {given}))
            (func (export "f") (result u32) (canon lift (core func $i "f")))
            (type $value (variant
                (case "text" string) (case "whole" s64) (case "number" f64) (case "truth" bool)))
            (type $event (record
                (field "name" string) (field "values" (list (tuple string $value)))
                (field "time" u64) (field "missed" u32)))
            (func $handle (param "event" $event) (result (result (error string)))
                (canon lift (core func $i "handle")
                    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
            (component $interface
                (type $value (variant
                    (case "text" string) (case "whole" s64) (case "number" f64) (case "truth" bool)))
                (import "value" (type $imported-value (eq $value)))
                (type $event (record
                    (field "name" string) (field "values" (list (tuple string $imported-value)))
                    (field "time" u64) (field "missed" u32)))
                (import "event" (type $imported-event (eq $event)))
                (import "handle" (func $handle
                    (param "event" $imported-event) (result (result (error string)))))
                (export $exported-value "value" (type $value))
                (type $own-event (record
                    (field "name" string) (field "values" (list (tuple string $exported-value)))
                    (field "time" u64) (field "missed" u32)))
                (export $exported-event "event" (type $own-event))
                (export "handle" (func $handle) (func
                    (param "event" $exported-event) (result (result (error string))))))
            (instance $events (instantiate $interface
                (with "value" (type $value)) (with "event" (type $event))
                (with "handle" (func $handle))))
            (export "open-sesame:extension/events@0.1.0" (instance $events)))"#
    );
    wat::parse_str(text).expect("valid")
}
