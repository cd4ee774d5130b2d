//! An extension that does everything that there is to do, each thing by itself.

mod files;
mod http;

use std::io::Write;

use extension_sdk::{clipboard, config, ipc, notification, secret};
use wasi::config::store;

extension_sdk::generate!({ path: "wit", world: "test:desktop/desktop" });

struct Desktop;

fn said(error: extension_sdk::Error) -> String {
    error.to_string()
}

impl Guest for Desktop {
    fn config_value(key: String) -> Option<String> {
        config::get(&key)
    }

    fn store_value(key: String) -> Result<Option<String>, String> {
        store::get(&key).map_err(|error| error.to_string())
    }

    fn store_all() -> Result<Vec<(String, String)>, String> {
        store::get_all().map_err(|error| error.to_string())
    }

    fn read_secret(name: String) -> Result<String, String> {
        secret::get(&name).map_err(said)
    }

    fn write_secret(name: String, value: String) -> Result<(), String> {
        secret::set(&name, &value).map_err(said)
    }

    fn remove_secret(name: String) -> Result<(), String> {
        secret::remove(&name).map_err(said)
    }

    fn write_large_secret(size: u32) -> Result<(), String> {
        secret::set("large", &"x".repeat(size as usize)).map_err(said)
    }

    fn notify(summary: String, body: String) -> Result<(), String> {
        notification::show(&summary, &body).map_err(said)
    }

    fn notify_often(times: u32) -> u32 {
        (0..times).filter(|at| notification::show("again", &at.to_string()).is_ok()).count() as u32
    }

    fn copy_text(text: String) -> Result<(), String> {
        clipboard::set_text(&text).map_err(said)
    }

    fn copy_large_text(size: u32) -> Result<(), String> {
        clipboard::set_text(&"x".repeat(size as usize)).map_err(said)
    }

    fn publish_message(topic: String, payload: String) -> Result<(), String> {
        ipc::publish(&topic, &payload).map_err(said)
    }

    fn everything(name: String) -> Result<String, String> {
        let greeting = config::get_or("greeting.template", "Hello, {}!").replace("{}", &name);
        let token = secret::get("token")?;
        notification::show("Greeting", &greeting)?;
        clipboard::set_text(&greeting)?;
        ipc::publish("greeting.sent", &greeting)?;
        Ok(format!("{greeting} ({} characters of token)", token.len()))
    }

    fn variables() -> Vec<(String, String)> {
        let mut variables: Vec<_> = std::env::vars().collect();
        variables.sort();
        variables
    }

    fn read_text(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn write_text(path: String, text: String) -> Result<(), String> {
        std::fs::write(path, text).map_err(|error| error.to_string())
    }

    fn append_text(path: String, text: String) -> Result<(), String> {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(|error| error.to_string())?;
        file.write_all(text.as_bytes()).map_err(|error| error.to_string())
    }

    fn truncate_file(path: String) -> Result<(), String> {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(|error| error.to_string())?;
        file.set_len(0).map_err(|error| error.to_string())
    }

    fn list_names(path: String) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(path).map_err(|error| error.to_string())?;
        let mut names: Vec<_> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    fn delete_file(path: String) -> Result<(), String> {
        std::fs::remove_file(path).map_err(|error| error.to_string())
    }

    fn rename_file(source: String, target: String) -> Result<(), String> {
        std::fs::rename(source, target).map_err(|error| error.to_string())
    }

    fn hard_link(source: String, target: String) -> Result<(), String> {
        std::fs::hard_link(source, target).map_err(|error| error.to_string())
    }

    fn symbolic_link(target: String, path: String) -> Result<(), String> {
        files::symbolic_link(&target, &path)
    }

    fn fetch(scheme: String, authority: String, path: String) -> Result<(u16, String), String> {
        http::fetch(&scheme, &authority, &path)
    }

    fn fetch_with_header(authority: String, name: String, value: String) -> Result<u16, String> {
        http::fetch_with_header(&authority, &name, &value)
    }

    fn fetch_impatiently(authority: String) -> Result<u16, String> {
        http::fetch_impatiently(&authority)
    }

    fn fetch_size(authority: String, path: String) -> Result<u64, String> {
        http::fetch_size(&authority, &path)
    }

    fn connect_socket(port: u16) -> Result<(), String> {
        std::net::TcpStream::connect(("127.0.0.1", port))
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

export!(Desktop);
