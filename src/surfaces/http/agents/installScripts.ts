/** The scripts behind the one line that people paste: they fetch the archive, compare its checksum, and start its installer. */
import type { AgentBuild } from '../../../core/ports/enrolmentPorts.ts';

type Archives = AgentBuild['archives'];

/** What `uname -s` and `uname -m` say of each platform. */
const UNAMES: Readonly<Record<string, string>> = {
  'linux-x64': 'Linux-x86_64',
  'linux-arm64': 'Linux-aarch64',
  'darwin-arm64': 'Darwin-arm64',
  'darwin-x64': 'Darwin-x86_64',
};

/** @param server checked: nothing in it ends a quotation */
export function shellScript(server: string, archives: Archives): string {
  const cases = Object.entries(UNAMES).flatMap(([platform, uname]) => {
    const archive = archives[platform];
    return archive ? [`  ${uname}) file='${archive.file}' sum='${archive.sha256}' ;;`] : [];
  });
  return `#!/bin/sh
# Installs or upgrades the DexOps agent from ${server}. The secret of an enrolment is taken from DEX_ENROLMENT_SECRET.
set -eu
main() {
server='${server}'
fail() { printf 'DexOps agent: %s\\n' "$*" >&2; exit 1; }
case "$(uname -s)-$(uname -m)" in
${cases.join('\n')}
  *) fail "this service has no agent for $(uname -s) on $(uname -m)" ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
curl -fsSL --retry 3 "$server/agent/archives/$file" -o "$dir/$file" || fail "$server/agent/archives/$file cannot be fetched"
if command -v sha256sum >/dev/null; then found=$(sha256sum "$dir/$file"); else found=$(shasum -a 256 "$dir/$file"); fi
[ "\${found%% *}" = "$sum" ] || fail "$file is not the archive that $server announced: its checksum is \${found%% *}"
tar -xJf "$dir/$file" -C "$dir" || fail "$file cannot be unpacked: install xz (Debian: xz-utils)"
sh "$dir/\${file%.tar.xz}/install.sh" --server "$server" "$@"
}
# In a function, so that a script cut off on the way does nothing.
main "$@"
`;
}

/** @param server checked: nothing in it ends a quotation */
export function powershellScript(server: string, archives: Archives): string {
  const archive = archives['win-x64'];
  if (!archive) return `throw 'This service has no agent for Windows.'\n`;
  return `# Installs or upgrades the DexOps agent from ${server}. The secret of an enrolment is taken from DEX_ENROLMENT_SECRET.
& {
  $ErrorActionPreference = 'Stop'
  $ProgressPreference = 'SilentlyContinue'
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  $server = '${server}'
  $file = '${archive.file}'
  $dir = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
  New-Item -ItemType Directory -Path $dir | Out-Null
  try {
    Invoke-WebRequest -UseBasicParsing -Uri "$server/agent/archives/$file" -OutFile (Join-Path $dir $file)
    $found = (Get-FileHash -Algorithm SHA256 (Join-Path $dir $file)).Hash.ToLowerInvariant()
    if ($found -ne '${archive.sha256}') { throw "$file is not the archive that $server announced: its checksum is $found" }
    Expand-Archive -Path (Join-Path $dir $file) -DestinationPath $dir
    $install = Join-Path (Join-Path $dir ([IO.Path]::GetFileNameWithoutExtension($file))) 'install.ps1'
    & powershell.exe -NoProfile -ExecutionPolicy Bypass -File $install -Server $server
    if ($LASTEXITCODE -ne 0) { throw 'The agent was not installed.' }
  } finally {
    Remove-Item -Recurse -Force $dir
  }
}
`;
}
