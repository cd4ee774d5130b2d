//! A guest that does what its limits should stop.

use std::hint::black_box;
use std::io::Write;
use std::thread;
use std::time::Duration;

use exports::test::hostile::attacks::Guest;

wit_bindgen::generate!({
    world: "guest",
});

struct Hostile;

impl Guest for Hostile {
    fn spin() {
        loop {
            black_box(());
        }
    }

    fn sleep(milliseconds: u64) {
        thread::sleep(Duration::from_millis(milliseconds));
    }

    fn grow_memory(mebibytes: u32) -> u32 {
        let mut blocks = Vec::new();
        while blocks.len() < mebibytes as usize
            && blocks.try_reserve(1).is_ok()
            && let Some(block) = mebibyte()
        {
            blocks.push(block);
        }
        // At most what was asked for, which is a u32.
        blocks.len() as u32
    }

    fn recurse(depth: u64) -> u64 {
        descend(depth)
    }

    fn long_string(bytes: u64) -> String {
        "x".repeat(usize::try_from(bytes).expect("more than an address can count"))
    }

    fn flood(bytes: u64) {
        const CHUNK: [u8; 4096] = [b'x'; 4096];
        let mut stdout = std::io::stdout().lock();
        let mut left = bytes;
        while left > 0 {
            let now = left.min(CHUNK.len() as u64);
            stdout.write_all(&CHUNK[..now as usize]).expect("the host refused output");
            left -= now;
        }
        stdout.flush().expect("the host refused output");
    }

    fn panic(message: String) {
        panic!("{message}");
    }

    fn exit(code: i32) {
        std::process::exit(code);
    }
}

/// A block of memory with all its pages in use, if there is one to be had.
fn mebibyte() -> Option<Vec<u8>> {
    const SIZE: usize = 1 << 20;
    let mut block = Vec::new();
    block.try_reserve_exact(SIZE).ok()?;
    block.resize(SIZE, 1);
    // Otherwise the compiler may see that nobody reads it, and allocate nothing.
    Some(black_box(block))
}

/// The work after the inner call is nothing that the compiler could turn into a loop.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 {
        return 1;
    }
    (descend(depth - 1) ^ depth).rotate_left(7)
}

export!(Hostile);
