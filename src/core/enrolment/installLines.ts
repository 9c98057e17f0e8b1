/** The one line for each system that installs the agent and enrols the machine. */

interface InstallLines {
  linux: string;
  macos: string;
  windows: string;
}

/** @param publicUrl where machines reach the service, without a slash at the end */
export function installLines(publicUrl: string, secret: string): InstallLines {
  const posix = `curl -fsSL ${publicUrl}/agent/install.sh | sudo DEX_ENROLMENT_SECRET=${secret} sh`;
  return {
    linux: posix,
    macos: posix,
    windows: `powershell -NoProfile -ExecutionPolicy Bypass -Command "$env:DEX_ENROLMENT_SECRET='${secret}'; irm ${publicUrl}/agent/install.ps1 | iex"`,
  };
}
