//! Returns what it is given, in every WIT type, and shows what an ordinary guest sees of its host.

use extension_sdk::log;

use exports::test::echo::echo::{Color, Deep, Guest, Permissions, Person, Shape};

extension_sdk::generate!({
    path: ["../../../wit/host", "wit"],
    world: "test:echo/guest",
});

struct Echo;

/// Functions that return their argument.
macro_rules! echoes {
    ($($name:ident: $type:ty,)*) => {
        $(fn $name(value: $type) -> $type {
            value
        })*
    };
}

impl Guest for Echo {
    echoes! {
        echo_bool: bool,
        echo_u8: u8,
        echo_u16: u16,
        echo_u32: u32,
        echo_u64: u64,
        echo_s8: i8,
        echo_s16: i16,
        echo_s32: i32,
        echo_s64: i64,
        echo_f32: f32,
        echo_f64: f64,
        echo_char: char,
        echo_string: String,
        echo_bytes: Vec<u8>,
        echo_strings: Vec<String>,
        echo_lists: Vec<Vec<u32>>,
        echo_option: Option<String>,
        echo_option_option: Option<Option<u32>>,
        echo_result: Result<u32, String>,
        echo_result_ok: Result<u32, ()>,
        echo_result_err: Result<(), String>,
        echo_result_empty: Result<(), ()>,
        echo_tuple: (u8, String),
        echo_record: Person,
        echo_variant: Shape,
        echo_enum: Color,
        echo_flags: Permissions,
        echo_deep: Deep,
    }

    fn fail(message: String) -> Result<String, String> {
        Err(message)
    }

    fn print(text: String) {
        println!("{text}");
        eprintln!("{text}");
    }

    fn join(parts: Vec<String>, separator: Option<String>) -> String {
        parts.join(separator.as_deref().unwrap_or(", "))
    }

    fn sum(numbers: Vec<i64>) -> i64 {
        numbers.into_iter().fold(0, i64::wrapping_add)
    }

    fn log_it(message: String) {
        log::debug(&message);
        log::info(&message);
        log::warn(&message);
        log::error(&message);
    }

    fn environment() -> Vec<(String, String)> {
        std::env::vars().collect()
    }

    fn read_file(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }
}

export!(Echo);
