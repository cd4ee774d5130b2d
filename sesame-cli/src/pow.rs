//! The only function of `libm.so` that the binary needs: tokio and indicatif keep moving averages by
//! it. As it is here, the loader finds, maps and relocates one library less, which is a sixtieth of
//! a call.

/// Returns a power, as C's `pow` does.
#[expect(unsafe_code, reason = "the linker finds it by the name that it has in C")]
// SAFETY: C reserves this name for a function with this signature and this meaning. The binary does
// not export it, so that no other library meets it.
#[unsafe(no_mangle)]
extern "C" fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

#[cfg(test)]
mod tests {
    /// What the compiler calls for powers is the function above, and it is right.
    #[test]
    fn powers_are_right() {
        let of = |base: f64, exponent: f64| std::hint::black_box(base).powf(exponent);
        assert_eq!((of(2.0, 10.0), of(9.0, 0.5), of(0.1, 0.0)), (1024.0, 3.0, 1.0));
        assert!((of(0.1, 0.2) - 0.630_957_344_480_193_2).abs() < 1e-15 && of(-1.0, 0.5).is_nan());
    }
}
