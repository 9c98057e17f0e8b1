/** The one line for each system that lets a machine join: it installs the agent, or starts that of a checkout where none was built. */

interface InstallLines {
  linux: string;
  macos: string;
  windows: string;
}

/**
 * @param publicUrl where machines reach the service, without a slash at the end
 * @param platforms for which the service has the agent's archive, as `linux-x64`
 */
export function installLines(publicUrl: string, secret: string, platforms: readonly string[]): InstallLines {
  const has = (system: string) => platforms.some((platform) => platform.startsWith(`${system}-`));
  const installed = `curl -fsSL ${publicUrl}/agent/install.sh | sudo DEX_ENROLMENT_SECRET=${secret} sh`;
  const checkedOut = `DEX_ENROLMENT_SECRET=${secret} npm run agent -- --server ${publicUrl}`;
  return {
    linux: has('linux') ? installed : checkedOut,
    macos: has('darwin') ? installed : checkedOut,
    windows: has('win')
      ? `powershell -NoProfile -ExecutionPolicy Bypass -Command "$env:DEX_ENROLMENT_SECRET='${secret}'; irm ${publicUrl}/agent/install.ps1 | iex"`
      : `$env:DEX_ENROLMENT_SECRET='${secret}'; npm run agent -- --server ${publicUrl}`,
  };
}
