//! Labels a workload with the greeting that it is configured with.

use std::slice;

#[link(wasm_import_module = "suffiks")]
unsafe extern "C" {
    #[link_name = "AddLabel"]
    fn add_label(address: *const u8, length: usize);
    #[link_name = "ValidationError"]
    fn validation_error(address: *const u8, length: usize);
    #[link_name = "GetSpec"]
    fn get_spec() -> u64;
    #[link_name = "GetOwner"]
    fn get_owner() -> u64;
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Sets the runtime up. Without it, the linker would do so around every call.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    // SAFETY: the linker makes this function, and the host calls us once, before anything else.
    unsafe { __wasm_call_ctors() }
}

/// The bytes that a number of the host stands for. Nobody frees them: the instance ends with the
/// call.
fn bytes(packed: u64) -> &'static [u8] {
    match packed {
        0 => &[],
        // SAFETY: the host has written so many bytes there, where our own `malloc` made room.
        _ => unsafe { slice::from_raw_parts((packed >> 32) as *const u8, packed as u32 as usize) },
    }
}

/// A protobuf message of texts, whose fields are numbered from 1.
fn message(fields: &[&str]) -> Vec<u8> {
    let mut message = Vec::new();
    for (number, field) in (1_u8..).zip(fields) {
        message.extend([number << 3 | 2, field.len() as u8]);
        message.extend(field.as_bytes());
    }
    message
}

/// A text of such a message.
fn field(mut message: &[u8], number: u8) -> String {
    while let [tag, length, rest @ ..] = message {
        let (value, after) = rest.split_at(usize::from(*length));
        if tag >> 3 == number {
            return String::from_utf8_lossy(value).into_owned();
        }
        message = after;
    }
    String::new()
}

fn spec() -> String {
    // SAFETY: the host takes nothing and gives a number.
    String::from_utf8_lossy(bytes(unsafe { get_spec() })).into_owned()
}

/// Says what is wrong with a workload: 0 is a new one, 1 a changed one, 2 one that is removed.
#[unsafe(no_mangle)]
pub extern "C" fn Validate(kind: i32) {
    if kind != 2 && spec().contains("\"rude\"") {
        let problem = message(&["spec", "be polite", "rude"]);
        // SAFETY: the host reads so many bytes there before it returns.
        unsafe { validation_error(problem.as_ptr(), problem.len()) }
    }
}

/// Gives back JSON that is merged into the workload, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn Defaulting() -> u64 {
    if spec().contains("\"greeting\"") {
        return 0;
    }
    let json = br#"{"spec":{"greeting":"Hello"}}"#;
    (json.as_ptr() as u64) << 32 | json.len() as u64
}

/// Adds what the workload is to have.
#[unsafe(no_mangle)]
pub extern "C" fn Sync() {
    let greeting = std::env::var("GREETING").unwrap_or_else(|_| "Hello".to_owned());
    // SAFETY: the host takes nothing and gives a number.
    let name = field(bytes(unsafe { get_owner() }), 2);
    let label = message(&["greeting", &format!("{greeting}-{name}")]);
    // SAFETY: the host reads so many bytes there before it returns.
    unsafe { add_label(label.as_ptr(), label.len()) }
}

/// Cleans up after the workload.
#[unsafe(no_mangle)]
pub extern "C" fn Delete() -> u64 {
    0
}
