//! A guest that asks WASI 0.3 for what a host must not give, and for more than a host should hold.

mod files;
mod fill;
mod grow;
mod http;
mod misuse;
mod output;
mod sockets;
mod survey;

use wit_bindgen::rt::async_support::{FutureReader, StreamReader};

wit_bindgen::generate!({
    world: "probe",
});

struct Probe;

impl Guest for Probe {
    async fn open(path: String, how: String) -> Result<String, String> {
        files::open(&path, &how).await
    }

    async fn act(call: String, path: String, other: String) -> Result<String, String> {
        files::act(&call, &path, &other).await
    }

    async fn hammer(directory: String, times: u32) -> (Vec<String>, u32) {
        files::hammer(&directory, times).await
    }

    async fn fill(way: String, path: String, mebibytes: u32) -> Result<u32, String> {
        fill::fill(&way, &path, mebibytes).await
    }

    async fn reach(way: String, port: u16) -> Result<String, String> {
        sockets::reach(&way, port).await
    }

    async fn fetch(
        method: String,
        scheme: String,
        authority: String,
        path: String,
    ) -> Result<(u16, String), String> {
        http::fetch(&method, &scheme, &authority, &path).await
    }

    async fn fetch_with_header(
        authority: String,
        name: String,
        value: String,
    ) -> Result<u16, String> {
        http::fetch_with_header(&authority, name, value.into_bytes()).await
    }

    async fn fetch_size(authority: String, path: String) -> Result<u64, String> {
        http::fetch_size(&authority, &path).await
    }

    async fn upload(authority: String, bytes: u64) -> Result<u16, String> {
        http::upload(&authority, bytes).await
    }

    async fn grow(way: String) -> u32 {
        grow::grow(&way).await
    }

    async fn survey() -> Vec<(String, String)> {
        survey::survey().await
    }

    async fn misuse(what: String) {
        misuse::misuse(&what).await;
    }

    async fn greet(name: String) -> String {
        format!("Hello, {name}!")
    }

    async fn take_stream(bytes: StreamReader<u8>) -> u32 {
        bytes.collect().await.len() as u32
    }

    fn give_future() -> FutureReader<String> {
        let (writer, reader) = wit_future::new(String::new);
        wit_bindgen::spawn_local(async move { drop(writer.write("later".to_owned()).await) });
        reader
    }
}

impl wasip3::exports::cli::run::Guest for Probe {
    /// Prints each argument on a line of its own, in pieces, and fails when the last one is `fail`.
    /// The only argument `copy` copies standard input to standard output instead.
    async fn run() -> Result<(), ()> {
        let arguments = wasip3::cli::environment::get_arguments();
        if arguments[1..] == ["copy"] {
            return output::copy().await.map_err(|_| ());
        }
        for argument in &arguments[1..] {
            output::print(format!("{argument}\n").into_bytes()).await.map_err(|_| ())?;
        }
        match arguments.last().map(String::as_str) {
            Some("fail") => Err(()),
            Some("exit") => {
                wasip3::cli::exit::exit_with_code(3);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

export!(Probe);
wasip3::cli::command::export!(Probe);
