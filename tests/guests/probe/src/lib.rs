//! A guest that asks WASI for what the standard library does not ask for.

mod files;
mod fill;
mod headers;
mod sockets;
mod survey;

wit_bindgen::generate!({
    world: "probe",
});

struct Probe;

impl Guest for Probe {
    fn open(path: String, how: String) -> Result<String, String> {
        files::open(&path, &how)
    }

    fn act(call: String, path: String, other: String) -> Result<String, String> {
        files::act(&call, &path, &other)
    }

    fn hammer(directory: String, times: u32) -> (Vec<String>, u32) {
        files::hammer(&directory, times)
    }

    fn fill(way: String, path: String, mebibytes: u32) -> Result<u32, String> {
        fill::fill(&way, &path, mebibytes)
    }

    fn reach(way: String, port: u16) -> Result<String, String> {
        sockets::reach(&way, port)
    }

    fn grow(way: String) -> u32 {
        headers::grow(&way)
    }

    fn survey() -> Vec<(String, String)> {
        survey::survey()
    }

    fn misuse(what: String) {
        survey::misuse(&what);
    }
}

export!(Probe);
