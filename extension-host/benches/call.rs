//! One call in a process that makes many: a new store, an instance, a call, all limits on. Ours against bare Wasmtime
//! with the same settings: `cargo bench --package extension-host`.
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use extension_host::{Arguments, Host, Permissions};
use wasmtime::component::{Component, HasSelf, InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

const GREETING: &[u8] = include_bytes!("../../tests/guests/built/greeting.wasm");

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
    wasmtime::component::bindgen!({ path: "../wit/host", world: "imports" });
}

impl bindings::open_sesame::host::config_read::Host for State {
    fn get(&mut self, _: String) -> Option<String> {
        None
    }
}

fn bare() -> (Engine, InstancePre<State>) {
    let mut config = Config::new();
    config.consume_fuel(true).wasm_memory64(false).wasm_multi_memory(false);
    config.wasm_relaxed_simd(false).wasm_tail_call(false).wasm_backtrace_max_frames(None);
    let engine = Engine::new(&config).expect("an engine");
    let component = Component::from_binary(&engine, GREETING).expect("it compiles");
    let mut linker = Linker::<State>::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("it links");
    bindings::open_sesame::host::config_read::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)
        .expect("it links");
    let instance = linker.instantiate_pre(&component).expect("it links");
    (engine, instance)
}

async fn call_bare(engine: &Engine, instance: &InstancePre<State>) -> String {
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).table_elements(20_000).instances(64).build();
    let state = State { wasi: WasiCtxBuilder::new().build(), table: ResourceTable::new(), limits };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limits);
    store.set_fuel(1_000_000_000).expect("fuel is on");
    store.fuel_async_yield_interval(Some(500_000)).expect("fuel is on");
    let instance = instance.instantiate_async(&mut store).await.expect("it starts");
    let greet: TypedFunc<(&str,), (String,)> = instance.get_typed_func(&mut store, "greet").expect("it is there");
    greet.call_async(&mut store, ("World",)).await.expect("it returns").0
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("new store, instantiate, call");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let (engine, instance) = bare();
    let limit = std::time::Duration::from_secs(5);
    group.bench_function("bare Wasmtime", |bencher| {
        bencher.iter(|| runtime.block_on(async { tokio::time::timeout(limit, call_bare(&engine, &instance)).await }));
    });
    let host = Host::new().expect("a host");
    let code = host.compile(GREETING).expect("it compiles");
    let extension = host.extension(&code, Permissions::default().with_config_read()).expect("it links");
    group.bench_function("extension-host", |bencher| {
        let arguments = Arguments::words(["World"]);
        bencher.iter(|| extension.call_blocking("greet", &arguments).outcome.expect("it returns"));
    });
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
