// What every extension of Suffiks shares: memory that the host can ask for, and messages.

/** Makes room for bytes of the host. */
export function malloc(size: usize): usize {
  return heap.alloc(size);
}

/** Gives it back. */
export function free(ptr: usize): void {
  heap.free(ptr);
}

/** Ends the call; the host says that the extension crashed. */
export function abort(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}

// @ts-ignore: decorator
@external("suffiks", "AddEnv")
declare function hostAddEnv(ptr: usize, size: i32): void;
// @ts-ignore: decorator
@external("suffiks", "AddLabel")
declare function hostAddLabel(ptr: usize, size: i32): void;
// @ts-ignore: decorator
@external("suffiks", "ValidationError")
declare function hostValidationError(ptr: usize, size: i32): void;
// @ts-ignore: decorator
@external("suffiks", "GetSpec")
declare function hostGetSpec(): u64;
// @ts-ignore: decorator
@external("suffiks", "GetOwner")
declare function hostGetOwner(): u64;
// @ts-ignore: decorator
@external("suffiks", "CreateResource")
declare function hostCreateResource(gvr: usize, gvrSize: i32, spec: usize, specSize: i32): u64;
// @ts-ignore: decorator
@external("suffiks", "UpdateResource")
declare function hostUpdateResource(gvr: usize, gvrSize: i32, spec: usize, specSize: i32): u64;
// @ts-ignore: decorator
@external("suffiks", "DeleteResource")
declare function hostDeleteResource(gvr: usize, gvrSize: i32, name: usize, nameSize: i32): u64;

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environSizesGet(count: usize, size: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environGet(pointers: usize, buffer: usize): i32;

/** The largest number that stands for an error and not for bytes. */
const LAST_ERROR: u64 = 20;
/** The error for something that is there already. */
const ALREADY_EXISTS: u64 = 2;

/** A protobuf message of texts, whose fields are numbered from 1. */
function message(fields: string[]): ArrayBuffer {
  let size = 0;
  const encoded = new Array<ArrayBuffer>();
  for (let i = 0; i < fields.length; i++) {
    const bytes = String.UTF8.encode(fields[i]);
    encoded.push(bytes);
    size += bytes.byteLength + (bytes.byteLength < 128 ? 2 : 3);
  }
  const whole = new ArrayBuffer(size);
  let at = changetype<usize>(whole);
  for (let i = 0; i < encoded.length; i++) {
    const length = encoded[i].byteLength;
    store<u8>(at++, ((i + 1) << 3) | 2);
    if (length < 128) {
      store<u8>(at++, <u8>length);
    } else {
      store<u8>(at++, <u8>(length | 128));
      store<u8>(at++, <u8>(length >> 7));
    }
    memory.copy(at, changetype<usize>(encoded[i]), length);
    at += length;
  }
  return whole;
}

function text(packed: u64): string {
  return String.UTF8.decodeUnsafe(<usize>(packed >> 32), <usize>(packed & 0xffffffff));
}

export function addEnv(name: string, value: string): void {
  const bytes = message([name, value]);
  hostAddEnv(changetype<usize>(bytes), bytes.byteLength);
}

export function addLabel(name: string, value: string): void {
  const bytes = message([name, value]);
  hostAddLabel(changetype<usize>(bytes), bytes.byteLength);
}

export function invalid(path: string, detail: string, value: string): void {
  const bytes = message([path, detail, value]);
  hostValidationError(changetype<usize>(bytes), bytes.byteLength);
}

/** The part of the workload's spec that this extension is given, as JSON. */
export function spec(): string {
  return text(hostGetSpec());
}

/** A text field of the message about the workload: 2 is its name, 3 its namespace. */
export function owner(field: i32): string {
  const packed = hostGetOwner();
  let at = <usize>(packed >> 32);
  const end = at + <usize>(packed & 0xffffffff);
  while (at < end) {
    const tag = load<u8>(at++);
    const length = <usize>load<u8>(at++);
    if (tag >> 3 == field) return String.UTF8.decodeUnsafe(at, length);
    at += length;
  }
  return "";
}

/** Makes a resource what it should be, whether or not it is there. Gives back whether that was allowed. */
export function put(group: string, version: string, kind: string, resource: string): bool {
  const gvr = message([group, version, kind]);
  const body = String.UTF8.encode(resource);
  const g = changetype<usize>(gvr);
  const b = changetype<usize>(body);
  let result = hostCreateResource(g, gvr.byteLength, b, body.byteLength);
  if (result == ALREADY_EXISTS) result = hostUpdateResource(g, gvr.byteLength, b, body.byteLength);
  return result > LAST_ERROR;
}

export function remove(group: string, version: string, kind: string, name: string): void {
  const gvr = message([group, version, kind]);
  const bytes = String.UTF8.encode(name);
  hostDeleteResource(changetype<usize>(gvr), gvr.byteLength, changetype<usize>(bytes), bytes.byteLength);
}

/** A value of the configuration. */
export function configured(name: string, otherwise: string): string {
  const sizes = heap.alloc(8);
  if (environSizesGet(sizes, sizes + 4) != 0) return otherwise;
  const count = load<u32>(sizes);
  const pointers = heap.alloc(count * 4);
  if (environGet(pointers, heap.alloc(load<u32>(sizes + 4))) != 0) return otherwise;
  for (let i: u32 = 0; i < count; i++) {
    const begin = <usize>load<u32>(pointers + i * 4);
    let end = begin;
    while (load<u8>(end) != 0) end++;
    const variable = String.UTF8.decodeUnsafe(begin, end - begin);
    if (variable.startsWith(name + "=")) return variable.substring(name.length + 1);
  }
  return otherwise;
}

/** What `Defaulting` gives back: JSON that is merged into the workload. */
export function give(json: string): u64 {
  const bytes = String.UTF8.encode(json);
  return ((<u64>changetype<usize>(bytes)) << 32) | <u64>bytes.byteLength;
}
