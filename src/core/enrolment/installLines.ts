/** The one line for each system that lets a machine join: it installs the agent, or starts that of a checkout where none was built. */

interface InstallLines {
  linux: string;
  macos: string;
  windows: string;
}

/**
 * @param publicUrl where machines reach the service, without a slash at the end
 * @param isPrivate whether the agent may know nothing personal from the first moment on
 * @param platforms for which the service has the agent's archive, as `linux-x64`
 */
export function installLines(
  publicUrl: string,
  { secret, isPrivate }: { secret: string; isPrivate: boolean },
  platforms: readonly string[],
): InstallLines {
  const has = (system: string) => platforms.some((platform) => platform.startsWith(`${system}-`));
  const mode = isPrivate ? 'DEX_PRIVACY=pseudonymous ' : '';
  const windowsMode = isPrivate ? "$env:DEX_PRIVACY='pseudonymous'; " : '';
  const installed = `curl -fsSL ${publicUrl}/agent/install.sh | sudo ${mode}DEX_ENROLMENT_SECRET=${secret} sh`;
  const checkedOut = `${mode}DEX_ENROLMENT_SECRET=${secret} npm run agent -- --server ${publicUrl}`;
  return {
    linux: has('linux') ? installed : checkedOut,
    macos: has('darwin') ? installed : checkedOut,
    windows: has('win')
      ? `powershell -NoProfile -ExecutionPolicy Bypass -Command "${windowsMode}$env:DEX_ENROLMENT_SECRET='${secret}'; irm ${publicUrl}/agent/install.ps1 | iex"`
      : `${windowsMode}$env:DEX_ENROLMENT_SECRET='${secret}'; npm run agent -- --server ${publicUrl}`,
  };
}
