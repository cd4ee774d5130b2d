//! `wasi:filesystem`, call by call. A path goes to the host as it is, behind the directory that it
//! begins with.

use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};

const KEPT: u64 = 64 * 1024;
const LONG_AGO: NewTimestamp = NewTimestamp::Timestamp(Datetime { seconds: 1, nanoseconds: 0 });

pub fn open(path: &str, how: &str) -> Result<String, String> {
    let (directory, below) = place(path)?;
    let opened = open_in(&directory, below, how).map_err(name)?;
    let kind = opened.get_type().map_err(name)?;
    let text = match kind {
        DescriptorType::Directory => names(&opened)?.join(","),
        _ if how.contains('r') => text(&opened).map_err(name)?,
        _ => String::new(),
    };
    Ok(format!("{kind:?}: {text}"))
}

pub fn act(call: &str, path: &str, other: &str) -> Result<String, String> {
    let (directory, below) = place(path)?;
    let (flags, call) = match call.strip_prefix("followed ") {
        Some(call) => (PathFlags::SYMLINK_FOLLOW, call),
        None => (PathFlags::empty(), call),
    };
    match call {
        "stat" => {
            directory.stat_at(flags, below).map(|stat| format!("{:?} {}", stat.type_, stat.size))
        }
        "metadata-hash" => {
            directory.metadata_hash_at(flags, below).map(|hash| format!("{:x}", hash.lower))
        }
        "readlink" => directory.readlink_at(below),
        "create-directory" => done(directory.create_directory_at(below)),
        "remove-directory" => done(directory.remove_directory_at(below)),
        "unlink-file" => done(directory.unlink_file_at(below)),
        "symlink" => done(directory.symlink_at(other, below)),
        "set-times" => done(directory.set_times_at(flags, below, LONG_AGO, LONG_AGO)),
        "set-times-of-opened" => open_in(&directory, below, "r")
            .and_then(|file| done(file.set_times(LONG_AGO, LONG_AGO))),
        "set-size-of-opened" => {
            open_in(&directory, below, "r").and_then(|file| done(file.set_size(0)))
        }
        "write-to-opened" => {
            open_in(&directory, below, "r").and_then(|file| done(file.write(b"x", 0).map(drop)))
        }
        "append-to-opened" => open_in(&directory, below, "r")
            .and_then(|file| done(file.append_via_stream().map(drop))),
        "create-in-opened" => {
            let name = [below, "/new"].concat();
            let made = open_in(&directory, below, "dm").and_then(|opened| {
                let inside = opened.create_directory_at("made");
                inside.or_else(|_| open_in(&opened, "new", "wc").map(drop))
            });
            done(made.or_else(|error| directory.create_directory_at(&name).map_err(|_| error)))
        }
        "sync-opened" => open_in(&directory, below, "r").and_then(|file| done(file.sync())),
        "rename" | "link" => {
            let (there, at) = place(other)?;
            match call {
                "rename" => done(directory.rename_at(below, &there, at)),
                _ => done(directory.link_at(flags, below, &there, at)),
            }
        }
        _ => return Err(format!("no call: {call}")),
    }
    .map_err(name)
}

pub fn hammer(path: &str, times: u32) -> (Vec<String>, u32) {
    let Ok((directory, below)) = place(path) else {
        return (vec![format!("no directory: {path}")], 0);
    };
    let at = |name: &str| format!("{below}/{name}");
    let (mut strange, mut good) = (Vec::new(), 0);
    for _ in 0..times {
        let read = open_in(&directory, &at("key"), "rf").and_then(|file| text(&file));
        strange.extend(read.iter().filter(|text| !text.starts_with("mine")).cloned());
        let written =
            open_in(&directory, &at("written"), "wcft").and_then(|file| file.write(b"mine", 0));
        let done = [
            read.is_ok(),
            written.is_ok(),
            directory.create_directory_at(&at("made")).is_ok(),
            directory.rename_at(&at("written"), &directory, &at("renamed")).is_ok(),
            directory
                .link_at(PathFlags::empty(), &at("renamed"), &directory, &at("linked"))
                .is_ok(),
            directory
                .set_times_at(PathFlags::SYMLINK_FOLLOW, &at("key"), LONG_AGO, LONG_AGO)
                .is_ok(),
            directory.unlink_file_at(&at("renamed")).is_ok(),
            directory.unlink_file_at(&at("linked")).is_ok(),
            directory.remove_directory_at(&at("made")).is_ok(),
        ];
        good += done.iter().filter(|done| **done).count() as u32;
    }
    (strange, good)
}

/// Opens what is at a path.
pub fn open_at(path: &str, how: &str) -> Result<Descriptor, String> {
    let (directory, below) = place(path)?;
    open_in(&directory, below, how).map_err(name)
}

/// The directory that a path begins with, and the rest as it is written.
fn place(path: &str) -> Result<(Descriptor, &str), String> {
    let begins =
        |at: &str| path.strip_prefix(at).filter(|below| below.is_empty() || below.starts_with('/'));
    let found =
        get_directories().into_iter().find_map(|(directory, at)| Some((directory, begins(&at)?)));
    let (directory, below) = found.ok_or("no directory for it")?;
    Ok((directory, below.strip_prefix('/').unwrap_or(below)))
}

fn open_in(directory: &Descriptor, below: &str, how: &str) -> Result<Descriptor, ErrorCode> {
    let mut path = PathFlags::empty();
    let (mut opening, mut flags) = (OpenFlags::empty(), DescriptorFlags::empty());
    for letter in how.chars() {
        match letter {
            'r' => flags |= DescriptorFlags::READ,
            'w' => flags |= DescriptorFlags::WRITE,
            'm' => flags |= DescriptorFlags::MUTATE_DIRECTORY,
            'c' => opening |= OpenFlags::CREATE,
            'x' => opening |= OpenFlags::EXCLUSIVE,
            't' => opening |= OpenFlags::TRUNCATE,
            'd' => opening |= OpenFlags::DIRECTORY,
            'f' => path |= PathFlags::SYMLINK_FOLLOW,
            _ => return Err(ErrorCode::Invalid),
        }
    }
    directory.open_at(path, below, opening, flags)
}

fn text(file: &Descriptor) -> Result<String, ErrorCode> {
    file.read(KEPT, 0).map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned())
}

fn names(directory: &Descriptor) -> Result<Vec<String>, String> {
    let entries = directory.read_directory().map_err(name)?;
    let mut names = Vec::new();
    while let Some(entry) = entries.read_directory_entry().map_err(name)? {
        names.push(entry.name);
    }
    names.sort();
    Ok(names)
}

fn done(result: Result<(), ErrorCode>) -> Result<String, ErrorCode> {
    result.map(|()| String::new())
}

fn name(error: ErrorCode) -> String {
    error.name().to_owned()
}
