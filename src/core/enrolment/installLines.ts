/** The one line for each system that starts the agent in a checkout and enrols the machine. */

interface InstallLines {
  linux: string;
  macos: string;
  windows: string;
}

/**
 * @param isPrivate the agent sends nothing personal, from its very first report on
 * @param publicUrl where machines reach the service, without a slash at the end
 */
export function installLines(publicUrl: string, secret: string, isPrivate: boolean): InstallLines {
  const [posixMode, windowsMode] = isPrivate
    ? ['DEX_PRIVACY=pseudonymous ', "$env:DEX_PRIVACY='pseudonymous'; "]
    : ['', ''];
  const posix = `${posixMode}DEX_ENROLMENT_SECRET=${secret} npm run agent -- --server ${publicUrl}`;
  return {
    linux: posix,
    macos: posix,
    windows: `${windowsMode}$env:DEX_ENROLMENT_SECRET='${secret}'; npm run agent -- --server ${publicUrl}`,
  };
}
