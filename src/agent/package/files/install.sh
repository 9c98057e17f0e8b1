#!/bin/sh
# Installs or upgrades the DexOps agent from the unpacked archive beside this script, on Linux and macOS.
# With DEX_ENROLMENT_SECRET in the environment the machine joins the fleet first; without it, it must have joined before.
# usage: install.sh --server URL [--root DIR] [--insecure] [--no-service]
#   --root DIR     install below DIR instead of /, and leave the service manager alone
#   --no-service   write the service's files and leave the service manager alone
set -eu

fail() { printf 'DexOps agent: %s\n' "$*" >&2; exit 1; }
say() { printf 'DexOps agent: %s\n' "$*"; }

server='' root='' service=yes insecure=''
while [ $# -gt 0 ]; do
  case "$1" in
    --server) [ $# -ge 2 ] || fail '--server needs a URL'; server=$2; shift 2 ;;
    --root) [ $# -ge 2 ] || fail '--root needs a folder'; root=${2%/}; service=no; shift 2 ;;
    --insecure) insecure=--insecure; shift ;;
    --no-service) service=no; shift ;;
    *) fail "unknown option $1" ;;
  esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run this as root: sudo sh install.sh'

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
system=$(uname -s)
program=$root/opt/dexops-agent
case "$system" in
  Linux) state=$root/var/lib/dexops-agent ;;
  Darwin) state=$root/var/db/dexops-agent ;;
  *) fail "there is no agent for $system" ;;
esac

# Told apart before anything is touched: a machine that cannot join keeps what it has.
"$here/node" --jitless "$here/agent.mjs" version >/dev/null 2>&1 || fail "this archive does not run on $(uname -sm)"

stop_service() {
  [ "$service" = yes ] || return 0
  case "$system" in
    Linux) ! command -v systemctl >/dev/null || systemctl stop dexops-agent.service 2>/dev/null || true ;;
    Darwin) launchctl bootout system/com.dexops.agent 2>/dev/null || true ;;
  esac
}

umask 077
mkdir -p "$state"
chmod 700 "$state"

if [ -n "${DEX_ENROLMENT_SECRET:-}" ]; then
  [ -n "$server" ] || fail '--server is missing'
  # $insecure is one option or none.
  # shellcheck disable=SC2086
  "$here/node" --jitless "$here/agent.mjs" enroll --server "$server" --state "$state" $insecure || fail 'not installed'
elif [ ! -f "$state/state.json" ]; then
  fail 'this machine has not joined yet: set DEX_ENROLMENT_SECRET'
fi

stop_service
umask 022
mkdir -p "$program.new"
for file in node agent.mjs VERSION uninstall.sh; do cp "$here/$file" "$program.new/$file"; done
chmod 755 "$program.new" "$program.new/node" "$program.new/uninstall.sh"
chmod 644 "$program.new/agent.mjs" "$program.new/VERSION"
rm -rf "$program.old"
if [ -d "$program" ]; then mv "$program" "$program.old"; fi
mv "$program.new" "$program"

case "$system" in
  Linux)
    mkdir -p "$root/etc/systemd/system"
    cp "$here/dexops-agent.service" "$root/etc/systemd/system/dexops-agent.service"
    chmod 644 "$root/etc/systemd/system/dexops-agent.service"
    if [ "$service" = yes ]; then
      command -v systemctl >/dev/null || fail "installed in $program, but there is no systemd to run it"
      systemctl daemon-reload
      systemctl enable --now dexops-agent.service
    fi
    ;;
  Darwin)
    mkdir -p "$root/Library/LaunchDaemons"
    cp "$here/com.dexops.agent.plist" "$root/Library/LaunchDaemons/com.dexops.agent.plist"
    chmod 644 "$root/Library/LaunchDaemons/com.dexops.agent.plist"
    if [ "$service" = yes ]; then
      launchctl bootstrap system /Library/LaunchDaemons/com.dexops.agent.plist
    fi
    ;;
esac
rm -rf "$program.old"
say "version $(cat "$program/VERSION") is installed in $program"
