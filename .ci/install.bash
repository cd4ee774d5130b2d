# Installing packages of Debian on this machine. Sourced by run and languages.
# shellcheck shell=bash

# as_root COMMAND...: with sudo where a job does not run as root.
as_root() { if ((EUID)); then sudo "$@"; else "$@"; fi; }

# debian PACKAGE...: installs packages of Debian, whose lists a machine may not have yet.
debian() {
  as_root apt-get update -q=2
  as_root apt-get install -q=2 --yes --no-install-recommends "$@"
}
