//! The floor: maps a compiled component, instantiates it and calls `greet` once, with the limits
//! that sesame has, and nothing else. `floor list DIRECTORY` reads and parses every manifest there,
//! and nothing else. `floor compare` runs commands in turn and prints medians; with `--json FILE
//! --title TEXT` it puts them at the end of a file as well.

mod compare;

use std::time::Duration;

use wasmtime::component::{Component, HasSelf, InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::{Config, Engine, Result, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

mod bindings {
    wasmtime::component::bindgen!({ path: "../../wit/host", world: "imports" });
}

impl bindings::open_sesame::host::config_read::Host for State {
    fn get(&mut self, _: String) -> Option<String> {
        None
    }
}

/// The settings of sesame's engine, which compiled code depends on.
fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.consume_fuel(true).relaxed_simd_deterministic(true);
    config.max_wasm_stack(512 << 10).wasm_backtrace_max_frames(None);
    Engine::new(&config)
}

fn load(engine: &Engine, path: &str) -> Result<InstancePre<State>> {
    // SAFETY: the benchmark has just compiled this file itself.
    let component = unsafe { Component::deserialize_file(engine, path)? };
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    bindings::open_sesame::host::config_read::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    linker.instantiate_pre(&component)
}

async fn greet(engine: &Engine, instance: &InstancePre<State>) -> Result<String> {
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).table_elements(20_000).instances(64).build();
    let state = State { wasi: WasiCtxBuilder::new().build(), table: ResourceTable::new(), limits };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limits);
    store.set_fuel(1_000_000_000)?;
    store.fuel_async_yield_interval(Some(500_000))?;
    let instance = instance.instantiate_async(&mut store).await?;
    let greet: TypedFunc<(&str,), (String,)> = instance.get_typed_func(&mut store, "greet")?;
    Ok(greet.call_async(&mut store, ("World",)).await?.0)
}

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list", directory] => list(directory),
        #[cfg(feature = "compile")]
        ["compile", from, to] => Ok(std::fs::write(to, engine()?.precompile_component(&std::fs::read(from)?)?)?),
        ["call", path] => call(path),
        ["compare", "--json", file, "--title", title, rounds, commands @ ..] => {
            Ok(compare::run(rounds.parse()?, commands, Some(&compare::Record { file, title }))?)
        }
        ["compare", rounds, commands @ ..] => Ok(compare::run(rounds.parse()?, commands, None)?),
        _ => Err(wasmtime::Error::msg(
            "usage: floor call FILE | list DIRECTORY | compare [--json FILE --title TEXT] ROUNDS NAME=COMMAND...",
        )),
    }
}

fn call(path: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let engine = engine()?;
    let instance = load(&engine, path)?;
    let greeting = runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(5), greet(&engine, &instance)).await? })?;
    println!("{greeting}");
    Ok(())
}

fn list(directory: &str) -> Result<()> {
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            tables.push(std::fs::read_to_string(path)?.parse::<toml::Table>().map_err(|error| wasmtime::Error::msg(error.to_string()))?);
        }
    }
    println!("{}", tables.len());
    Ok(())
}
