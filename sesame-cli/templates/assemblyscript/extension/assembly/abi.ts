// Texts as components pass them: an address and the number of UTF-16 units. Memory is never freed,
// since each call has an instance of its own.

/** Allocates memory for the host to write to. */
export function cabi_realloc(old: usize, oldSize: usize, align: usize, size: usize): usize {
  return old ? heap.realloc(old, size) : heap.alloc(size);
}

/** Returns memory for a result. */
export function area(size: usize): usize {
  return heap.alloc(size);
}

/** Returns the text at an address. */
export function lift(address: usize, units: i32): string {
  return String.UTF16.decodeUnsafe(address, units << 1);
}

/** Returns the place of a text for the host. */
export function lower(text: string): usize {
  const place = area(8);
  store<usize>(place, changetype<usize>(text));
  store<i32>(place, text.length, 4);
  return place;
}

/** Ends the call where AssemblyScript finds an error. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
