//! Measures the session service on the bus of this session, which has to be a private one:
//! `session_numbers SESAME GREETING LOW_BATTERY ROUNDS RESULTS [PYTHON]`. The first is the program,
//! the next two and the last are components, and `RESULTS` is a file to which the figures are added
//! for `cargo xtask benchmark-table`.
//!
//! benches/run starts it.
#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

mod calls;
mod desktop;
mod figures;
mod home;
mod many_woken;

use std::error::Error;
use std::path::Path;

use figures::Figures;
use home::Home;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [calls::ECHO_ARGUMENT] => calls::echo(),
        [sesame, greeting, low_battery, rounds, results, ref python @ ..] => {
            let mut figures = Figures::new(Path::new(results));
            let rounds = rounds.parse()?;
            let home = Home::new(sesame)?;
            home.install(greeting, "greeting", &[])?;
            let others: Vec<_> = python.iter().map(|component| ("python", *component)).collect();
            calls::measure(&home, rounds, &others, &mut figures)?;
            many_woken::measure(&Home::new(sesame)?, low_battery, rounds, &mut figures)
        }
        _ => {
            Err("usage: session_numbers SESAME GREETING LOW_BATTERY ROUNDS RESULTS [PYTHON]".into())
        }
    }
}
