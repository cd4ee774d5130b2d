//! Bytes to standard output.

use wasip3::cli::stdin::read_via_stream;
use wasip3::cli::stdout::write_via_stream;
use wasip3::cli::types::ErrorCode;

/// Writes these bytes and waits until the host has them.
pub async fn print(bytes: Vec<u8>) -> Result<(), ErrorCode> {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let result = write_via_stream(reader);
    writer.write_all(bytes).await;
    drop(writer);
    result.await
}

/// Copies standard input to standard output.
pub async fn copy() -> Result<(), ErrorCode> {
    let (reader, read) = read_via_stream();
    write_via_stream(reader).await?;
    read.await
}
