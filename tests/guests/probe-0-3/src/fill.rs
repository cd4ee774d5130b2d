//! Every way to make files larger.

use wasip3::filesystem::types::{Descriptor, ErrorCode};

use crate::files::open_at;

const MEBIBYTE: u64 = 1 << 20;

pub async fn fill(way: &str, path: &str, mebibytes: u32) -> Result<u32, String> {
    for round in 0..mebibytes {
        once(way, path, round).await?;
    }
    Ok(mebibytes)
}

/// Adds a mebibyte.
async fn once(way: &str, path: &str, round: u32) -> Result<(), String> {
    let path = if way == "several" { format!("{path}{round}") } else { path.to_owned() };
    let file = open_at(&path, "rwc").await?;
    let at = u64::from(round) * MEBIBYTE;
    let done = match way {
        "stream" | "several" => write(&file, MEBIBYTE, Some(at)).await,
        "again" => write(&file, MEBIBYTE, Some(0)).await,
        "append" => write(&file, MEBIBYTE, None).await,
        "beyond" => write(&file, 1, Some(at + MEBIBYTE)).await,
        "set-size" => file.set_size(at + MEBIBYTE).await,
        "shrink" => match file.set_size(0).await {
            Ok(()) => file.set_size(MEBIBYTE).await,
            error => error,
        },
        _ => return Err(format!("no way: {way}")),
    };
    done.map_err(|error| format!("{error:?}"))
}

/// Writes so many zeroes at an offset, or at the end.
async fn write(file: &Descriptor, length: u64, offset: Option<u64>) -> Result<(), ErrorCode> {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let result = match offset {
        Some(offset) => file.write_via_stream(reader, offset),
        None => file.append_via_stream(reader),
    };
    writer.write_all(vec![0; length as usize]).await;
    drop(writer);
    result.await
}
