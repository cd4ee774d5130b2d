// Gives a workload an ingress for the host that its spec names.

import { addEnv, addLabel, configured, give, invalid, owner, put, remove, spec } from "./runtime";
export { free, malloc } from "./runtime";

const GROUP = "networking.k8s.io";

/** The text of a key in JSON that has it once; nothing where it is not. */
function textOf(json: string, key: string): string {
  const mark = '"' + key + '":"';
  const at = json.indexOf(mark);
  if (at < 0) return "";
  const begin = at + mark.length;
  return json.substring(begin, json.indexOf('"', begin));
}

export function Validate(type: i32): void {
  const host = textOf(spec(), "host");
  const domain = configured("DOMAIN", "example.org");
  // Whatever is removed may go.
  if (type != 2 && !host.endsWith("." + domain)) invalid("spec.host", "it is not below " + domain, host);
}

export function Defaulting(): u64 {
  return textOf(spec(), "path") == "" ? give('{"spec":{"path":"/"}}') : 0;
}

export function Sync(): void {
  const host = textOf(spec(), "host");
  addLabel("has-ingress", "true");
  addEnv("PUBLIC_HOST", host);
  const rule = '{"host":"' + host + '"}';
  const ingress =
    '{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"' + owner(2) + '"},"spec":{"rules":[' + rule + "]}}";
  if (!put(GROUP, "v1", "ingresses", ingress)) unreachable();
}

export function Delete(): u64 {
  remove(GROUP, "v1", "ingresses", owner(2));
  return 0;
}
