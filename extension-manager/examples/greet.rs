//! The program of docs/embedding.md: calls an extension that `sesame` installed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use extension_manager::Session;

fn main() {
    let called =
        Session::open().and_then(|session| session.call("greeting-extension", "greet", ["World"]));
    match called {
        Ok(greeting) => println!("{}", greeting.to_text()),
        Err(error) => {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}
