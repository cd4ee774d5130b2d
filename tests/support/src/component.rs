//! Components of a few bytes, for tests of everything around an extension.

/// Makes a component whose function `f` returns this number.
///
/// # Panics
/// Never: the text is valid.
pub fn component(version: u8) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m (func (export "f") (result i32) i32.const {version}))
            (core instance $i (instantiate $m))
            (func (export "f") (result u32) (canon lift (core func $i "f"))))"#
    );
    wat::parse_str(text).expect("valid")
}

/// Returns the binary with a custom section in which its author requests this, valid or not.
///
/// # Panics
/// Never: each part of a length fits its byte.
pub fn asking(binary: &[u8], manifest: &str) -> Vec<u8> {
    let name = b"open-sesame:manifest";
    let mut section = vec![u8::try_from(name.len()).expect("short")];
    section.extend_from_slice(name);
    section.extend_from_slice(manifest.as_bytes());
    let mut bytes = binary.to_vec();
    // A custom section: its number, its size in LEB128, its contents.
    bytes.push(0);
    let mut size = section.len();
    while size >= 0x80 {
        bytes.push(u8::try_from(size & 0x7f).expect("seven bits") | 0x80);
        size >>= 7;
    }
    bytes.push(u8::try_from(size).expect("seven bits"));
    bytes.extend(section);
    bytes
}
