//! `wasi:filesystem`, call by call. A path goes to the host as it is, behind the directory that it
//! begins with.

use wasip3::clocks::system_clock::Instant;
use wasip3::filesystem::preopens::get_directories;
use wasip3::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
};

const KEPT: usize = 64 * 1024;
const LONG_AGO: NewTimestamp = NewTimestamp::Timestamp(Instant { seconds: 1, nanoseconds: 0 });

pub async fn open(path: &str, how: &str) -> Result<String, String> {
    let (directory, below) = place(path)?;
    let opened = open_in(&directory, below, how).await.map_err(name)?;
    let kind = opened.get_type().await.map_err(name)?;
    let text = match kind {
        DescriptorType::Directory => names(&opened).await?.join(","),
        _ if how.contains('r') => text(&opened).await.map_err(name)?,
        _ => String::new(),
    };
    Ok(format!("{kind:?}: {text}"))
}

pub async fn act(call: &str, path: &str, other: &str) -> Result<String, String> {
    let (directory, below) = place(path)?;
    let (flags, call) = match call.strip_prefix("followed ") {
        Some(call) => (PathFlags::SYMLINK_FOLLOW, call),
        None => (PathFlags::empty(), call),
    };
    match call {
        "rename" | "link" => {
            let (there, at) = place(other)?;
            match call {
                "rename" => {
                    done(directory.rename_at(below.to_owned(), &there, at.to_owned()).await)
                }
                _ => done(directory.link_at(flags, below.to_owned(), &there, at.to_owned()).await),
            }
        }
        _ if call.ends_with("-opened") => act_on_opened(call, &directory, below).await,
        _ => act_at(call, flags, &directory, below.to_owned(), other.to_owned()).await?,
    }
    .map_err(name)
}

async fn act_at(
    call: &str,
    flags: PathFlags,
    directory: &Descriptor,
    below: String,
    other: String,
) -> Result<Result<String, ErrorCode>, String> {
    Ok(match call {
        "stat" => directory
            .stat_at(flags, below)
            .await
            .map(|stat| format!("{:?} {}", stat.type_, stat.size)),
        "metadata-hash" => {
            directory.metadata_hash_at(flags, below).await.map(|hash| format!("{:x}", hash.lower))
        }
        "readlink" => directory.readlink_at(below).await,
        "create-directory" => done(directory.create_directory_at(below).await),
        "remove-directory" => done(directory.remove_directory_at(below).await),
        "unlink-file" => done(directory.unlink_file_at(below).await),
        "symlink" => done(directory.symlink_at(other, below).await),
        "set-times" => done(directory.set_times_at(flags, below, LONG_AGO, LONG_AGO).await),
        _ => return Err(format!("no call: {call}")),
    })
}

async fn act_on_opened(
    call: &str,
    directory: &Descriptor,
    below: &str,
) -> Result<String, ErrorCode> {
    if call == "create-in-opened" {
        return create_in(directory, below).await;
    }
    let file = open_in(directory, below, "r").await?;
    done(match call {
        "set-times-of-opened" => file.set_times(LONG_AGO, LONG_AGO).await,
        "set-size-of-opened" => file.set_size(0).await,
        "write-to-opened" => write(&file, b"x", false).await,
        "append-to-opened" => write(&file, b"x", true).await,
        _ => file.sync().await,
    })
}

async fn create_in(directory: &Descriptor, below: &str) -> Result<String, ErrorCode> {
    let Err(error) = create_in_opened(directory, below).await else { return Ok(String::new()) };
    done(directory.create_directory_at([below, "/new"].concat()).await.map_err(|_| error))
}

async fn create_in_opened(directory: &Descriptor, below: &str) -> Result<(), ErrorCode> {
    let opened = open_in(directory, below, "dm").await?;
    match opened.create_directory_at("made".to_owned()).await {
        Ok(()) => Ok(()),
        Err(_) => open_in(&opened, "new", "wc").await.map(drop),
    }
}

pub async fn hammer(path: &str, times: u32) -> (Vec<String>, u32) {
    let Ok((directory, below)) = place(path) else {
        return (vec![format!("no directory: {path}")], 0);
    };
    let at = |name: &str| format!("{below}/{name}");
    let (mut strange, mut good) = (Vec::new(), 0);
    for _ in 0..times {
        let read = read_all(&directory, &at("key")).await;
        strange.extend(read.iter().filter(|text| !text.starts_with("mine")).cloned());
        let written = write_new(&directory, &at("written")).await;
        let done = [
            read.is_ok(),
            written.is_ok(),
            directory.create_directory_at(at("made")).await.is_ok(),
            directory.rename_at(at("written"), &directory, at("renamed")).await.is_ok(),
            directory
                .link_at(PathFlags::empty(), at("renamed"), &directory, at("linked"))
                .await
                .is_ok(),
            directory
                .set_times_at(PathFlags::SYMLINK_FOLLOW, at("key"), LONG_AGO, LONG_AGO)
                .await
                .is_ok(),
            directory.unlink_file_at(at("renamed")).await.is_ok(),
            directory.unlink_file_at(at("linked")).await.is_ok(),
            directory.remove_directory_at(at("made")).await.is_ok(),
        ];
        good += done.iter().filter(|done| **done).count() as u32;
    }
    (strange, good)
}

async fn read_all(directory: &Descriptor, below: &str) -> Result<String, ErrorCode> {
    text(&open_in(directory, below, "rf").await?).await
}

async fn write_new(directory: &Descriptor, below: &str) -> Result<(), ErrorCode> {
    write(&open_in(directory, below, "wcft").await?, b"mine", false).await
}

/// Opens what is at a path.
pub async fn open_at(path: &str, how: &str) -> Result<Descriptor, String> {
    let (directory, below) = place(path)?;
    open_in(&directory, below, how).await.map_err(name)
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

async fn open_in(directory: &Descriptor, below: &str, how: &str) -> Result<Descriptor, ErrorCode> {
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
    directory.open_at(path, below.to_owned(), opening, flags).await
}

async fn text(file: &Descriptor) -> Result<String, ErrorCode> {
    let (mut stream, result) = file.read_via_stream(0);
    let (_, bytes) = stream.read(Vec::with_capacity(KEPT)).await;
    drop(stream);
    result.await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn write(file: &Descriptor, bytes: &[u8], append: bool) -> Result<(), ErrorCode> {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let result =
        if append { file.append_via_stream(reader) } else { file.write_via_stream(reader, 0) };
    writer.write_all(bytes.to_vec()).await;
    drop(writer);
    result.await
}

async fn names(directory: &Descriptor) -> Result<Vec<String>, String> {
    let (stream, result) = directory.read_directory();
    let mut names: Vec<_> = stream.collect().await.into_iter().map(|entry| entry.name).collect();
    result.await.map_err(name)?;
    names.sort();
    Ok(names)
}

fn done(result: Result<(), ErrorCode>) -> Result<String, ErrorCode> {
    result.map(|()| String::new())
}

fn name(error: ErrorCode) -> String {
    format!("{error:?}")
}
