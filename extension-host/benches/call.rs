//! One call in a process that makes many: a new store, an instance, a call, all limits on. Ours
//! against bare Wasmtime with the same settings: `cargo bench --package extension-host`.

use std::sync::Barrier;
use std::time::{Duration, Instant};

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
    bindings::open_sesame::host::config_read::add_to_linker::<_, HasSelf<State>>(
        &mut linker,
        |state| state,
    )
    .expect("it links");
    let instance = linker.instantiate_pre(&component).expect("it links");
    (engine, instance)
}

async fn greet_bare(engine: &Engine, instance: &InstancePre<State>) -> String {
    let limits = StoreLimitsBuilder::new()
        .memory_size(64 << 20)
        .table_elements(20_000)
        .instances(64)
        .build();
    let state = State { wasi: WasiCtxBuilder::new().build(), table: ResourceTable::new(), limits };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limits);
    store.set_fuel(1_000_000_000).expect("fuel is on");
    store.fuel_async_yield_interval(Some(500_000)).expect("fuel is on");
    let instance = instance.instantiate_async(&mut store).await.expect("it starts");
    let greet: TypedFunc<(&str,), (String,)> =
        instance.get_typed_func(&mut store, "greet").expect("it is there");
    greet.call_async(&mut store, ("World",)).await.expect("it returns").0
}

/// Measures the time in which each of so many threads calls so many times.
fn on_threads<T>(
    threads: usize,
    times: u64,
    make: impl Fn() -> T + Sync,
    call: impl Fn(&T) + Sync,
) -> Duration {
    let ready = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let made = make();
                    // The first call of a thread makes the runtime that later ones share.
                    call(&made);
                    ready.wait();
                    (0..times).for_each(|_| call(&made));
                })
            })
            .collect();
        ready.wait();
        let started = Instant::now();
        workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
        started.elapsed()
    })
}

fn calls(criterion: &mut Criterion) {
    let (engine, instance) = bare();
    let limit = Duration::from_secs(5);
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let call_bare = |runtime: &tokio::runtime::Runtime| {
        let call = async {
            tokio::time::timeout(limit, greet_bare(&engine, &instance)).await.expect("in time")
        };
        assert_eq!(runtime.block_on(call), "Hello, World!");
    };
    let host = Host::new().expect("a host");
    let code = host.compile(GREETING).expect("it compiles");
    let extension =
        host.extension(&code, Permissions::default().with_config_read()).expect("it links");
    let call_ours = |arguments: &Arguments| {
        extension.call_blocking("greet", arguments).outcome.expect("it returns");
    };
    for (name, threads) in [("one thread", 1), ("two threads", 2)] {
        let mut group = criterion.benchmark_group(name);
        group.bench_function("bare", |bencher| {
            bencher.iter_custom(|times| on_threads(threads, times, runtime, call_bare))
        });
        let arguments = || Arguments::words(["World"]);
        group.bench_function("sesame", |bencher| {
            bencher.iter_custom(|times| on_threads(threads, times, arguments, call_ours));
        });
        group.finish();
    }
}

criterion_group!(benches, calls);
criterion_main!(benches);
