//! Properties of how values are written down: in memory between a component and its host, and as
//! text in a configuration.

use std::cell::RefCell;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use extension_sdk::config::parse_value;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::result::maybe_ok;

use mailbox::{Color, Permissions, Sample, Shape, Text};

/// What `generate!` makes of a world with a value of every kind of WIT type.
#[allow(missing_docs, reason = "generated")]
mod mailbox {
    extension_sdk::generate!({
        additional_derives: [PartialEq],
        inline: "
            package test:types;

            world mailbox {
                record text {
                    letter: char,
                    line: string,
                    bytes: list<u8>,
                    lines: list<string>,
                }

                enum color { red, green, blue }

                flags permissions { a, b, c, d, e, f, g, h, i, j }

                variant shape {
                    nothing,
                    circle(f64),
                    named(string),
                    painted(tuple<u8, color>),
                }

                record sample {
                    truth: bool,
                    numbers: tuple<u8, u16, u32, u64, s8, s16, s32, s64, f32, f64>,
                    text: text,
                    table: list<list<u32>>,
                    maybe: option<option<u32>>,
                    outcome: result<u64, string>,
                    done: result,
                    color: color,
                    permissions: permissions,
                    shapes: list<shape>,
                }

                export give-samples: func() -> list<sample>;
                export take-samples: func(samples: list<sample>);
            }
        ",
    });
}

type Numbers = (u8, u16, u32, u64, i8, i16, i32, i64, f32, f64);

thread_local! {
    static SAMPLES: RefCell<Vec<Sample>> = const { RefCell::new(Vec::new()) };
}

/// A component that gives what lies in `SAMPLES`, and leaves there what it is given.
struct Mailbox;

impl mailbox::Guest for Mailbox {
    fn give_samples() -> Vec<Sample> {
        SAMPLES.take()
    }

    fn take_samples(samples: Vec<Sample>) {
        SAMPLES.set(samples);
    }
}

mailbox::export!(Mailbox with_types_in mailbox);

/// A list as the canonical ABI returns it.
#[repr(C)]
struct List {
    items: *mut u8,
    count: usize,
}

// What `export!` made: the functions that a host would call.
unsafe extern "C" {
    #[link_name = "give-samples"]
    fn give_samples() -> *const List;
    #[link_name = "take-samples"]
    fn take_samples(items: *mut u8, count: usize);
}

/// Writes the samples to memory as a component does, and reads them as another would.
fn through_memory(samples: Vec<Sample>) -> Vec<Sample> {
    SAMPLES.set(samples);
    // SAFETY: what one function returns is what the other takes, ownership included. The list's
    // head lies in a static of the bindings, which no other test uses.
    unsafe {
        let list = give_samples().read();
        take_samples(list.items, list.count);
    }
    SAMPLES.take()
}

fn text() -> impl Strategy<Value = Text> {
    any::<(char, String, Vec<u8>, Vec<String>)>().prop_map(|(letter, line, bytes, lines)| Text {
        letter,
        line,
        bytes,
        lines,
    })
}

fn color() -> impl Strategy<Value = Color> {
    prop_oneof![Just(Color::Red), Just(Color::Green), Just(Color::Blue)]
}

fn permissions() -> impl Strategy<Value = Permissions> {
    any::<u16>().prop_map(Permissions::from_bits_truncate)
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Nothing),
        any::<f64>().prop_map(Shape::Circle),
        any::<String>().prop_map(Shape::Named),
        (any::<u8>(), color()).prop_map(Shape::Painted),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    (
        any::<bool>(),
        any::<Numbers>(),
        text(),
        vec(vec(any::<u32>(), 0..4), 0..4),
        option::of(option::of(any::<u32>())),
        maybe_ok(any::<u64>(), any::<String>()),
        maybe_ok(Just(()), Just(())),
        color(),
        permissions(),
        vec(shape(), 0..4),
    )
        .prop_map(
            |(truth, numbers, text, table, maybe, outcome, done, color, permissions, shapes)| {
                Sample {
                    truth,
                    numbers,
                    text,
                    table,
                    maybe,
                    outcome,
                    done,
                    color,
                    permissions,
                    shapes,
                }
            },
        )
}

/// The value's text, as a configuration would have it, is read as the value again.
fn survives_configuration<T>(value: T) -> Result<(), TestCaseError>
where
    T: FromStr<Err: Display> + Display + Debug + PartialEq,
{
    let text = value.to_string();
    prop_assert_eq!(parse_value("key", &text), Ok(value));
    Ok(())
}

proptest! {
    #[test]
    fn every_value_survives_the_way_through_memory(samples in vec(sample(), 0..4)) {
        prop_assert_eq!(through_memory(samples.clone()), samples);
    }

    #[test]
    fn every_number_survives_configuration(numbers: Numbers) {
        let (a, b, c, d, e, f, g, h, i, j) = numbers;
        survives_configuration(a)?;
        survives_configuration(b)?;
        survives_configuration(c)?;
        survives_configuration(d)?;
        survives_configuration(e)?;
        survives_configuration(f)?;
        survives_configuration(g)?;
        survives_configuration(h)?;
        survives_configuration(i)?;
        survives_configuration(j)?;
    }

    #[test]
    fn every_truth_and_text_survives_configuration(truth: bool, letter: char, line: String) {
        survives_configuration(truth)?;
        survives_configuration(letter)?;
        survives_configuration(line)?;
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named(key in "[a-z.]{1,20}", value in "[^0-9]*") {
        let error = parse_value::<u32>(&key, &value).expect_err("there is no digit in it");
        prop_assert_eq!((error.key(), error.value()), (&*key, &*value));
        let message = format!("invalid value `{value}` for configuration key `{key}`: ");
        prop_assert!(error.to_string().starts_with(&message), "{}", error);
    }
}

/// A world of an extension's own that uses a type of the host's.
#[allow(missing_docs, reason = "generated")]
mod shared {
    extension_sdk::generate!({
        path: "../wit/host",
        inline: "
            package test:shared;

            world shared {
                use open-sesame:host/log@0.1.1.{level};
                export level-of: func(line: string) -> level;
            }
        ",
        with: { "open-sesame:host/log@0.1.1": extension_sdk::host::log },
    });
}

#[test]
fn a_world_can_share_the_types_of_the_sdk() {
    use extension_sdk::log::Level;

    struct Sorter;

    impl shared::Guest for Sorter {
        fn level_of(line: String) -> Level {
            if line.is_empty() { Level::Debug } else { Level::Error }
        }
    }

    assert!(<Sorter as shared::Guest>::level_of(String::new()) < Level::Error);
}
