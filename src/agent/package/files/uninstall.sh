#!/bin/sh
# Removes the DexOps agent: its token ends at the server, then service, program and state go. The server keeps the history.
# usage: uninstall.sh [--root DIR] [--keep-state]
set -eu

fail() { printf 'DexOps agent: %s\n' "$*" >&2; exit 1; }

root='' keep=no service=yes
while [ $# -gt 0 ]; do
  case "$1" in
    --root) [ $# -ge 2 ] || fail '--root needs a folder'; root=${2%/}; service=no; shift 2 ;;
    --keep-state) keep=yes; shift ;;
    *) fail "unknown option $1" ;;
  esac
done
[ -n "$root" ] || [ "$(id -u)" = 0 ] || fail 'run this as root: sudo sh uninstall.sh'

program=$root/opt/dexops-agent
case "$(uname -s)" in
  Linux) state=$root/var/lib/dexops-agent ;;
  Darwin) state=$root/var/db/dexops-agent ;;
  *) fail 'there is no agent for this system' ;;
esac

if [ "$service" = yes ]; then
  case "$(uname -s)" in
    Linux) systemctl disable --now dexops-agent.service 2>/dev/null || true ;;
    Darwin) launchctl bootout system/com.dexops.agent 2>/dev/null || true ;;
  esac
fi
if [ "$keep" = no ] && [ -f "$state/state.json" ] && [ -x "$program/node" ]; then
  "$program/node" --jitless "$program/agent.mjs" sign-off --state "$state" ||
    printf 'DexOps agent: the server was not reached; deregister the machine there.\n' >&2
fi
rm -f "$root/etc/systemd/system/dexops-agent.service" "$root/Library/LaunchDaemons/com.dexops.agent.plist"
[ "$service" = no ] || ! command -v systemctl >/dev/null || systemctl daemon-reload
[ "$keep" = yes ] || rm -rf "$state"
rm -rf "$program" "$program.old" "$program.new"
printf 'DexOps agent: removed\n'
