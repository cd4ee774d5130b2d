//! The host's side of `wit/`, generated.

wasmtime::component::bindgen!({
    path: "../wit/host",
    world: "imports",
    imports: {
        // What the host knows by itself. Every other function asks a service of the session, and
        // the call goes on waiting for it.
        "open-sesame:host/config-read.get": trappable,
        "open-sesame:host/log.log": trappable,
        default: async | trappable,
    },
});

/// `wasi:logging`, as <https://github.com/WebAssembly/wasi-logging> proposes it.
pub(crate) mod wasi_logging {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:logging@0.1.0-draft;
            interface logging {
                enum level { trace, debug, info, warn, error, critical }
                log: func(level: level, context: string, message: string);
            }
            world imports { import logging; }
        ",
        imports: { default: trappable },
    });
}

/// `wasi:config`, as <https://github.com/WebAssembly/wasi-config> proposes it.
pub(crate) mod wasi_config {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:config@0.2.0-rc.1;
            interface store {
                variant error { upstream(string), io(string) }
                get: func(key: string) -> result<option<string>, error>;
                get-all: func() -> result<list<tuple<string, string>>, error>;
            }
            world imports { import store; }
        ",
        imports: { default: trappable },
    });
}
