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

impl OnEvent {
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
    let [imports, imported, given] =
        if matches!(on_event, OnEvent::Publishes) { PUBLISHING } else { [""; 3] };
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
