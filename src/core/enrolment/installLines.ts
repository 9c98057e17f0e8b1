/** The one line for each system that starts the agent in a checkout and enrols the machine. */

interface InstallLines {
  linux: string;
  macos: string;
  windows: string;
}

/** @param publicUrl where machines reach the service, without a slash at the end */
export function installLines(publicUrl: string, secret: string): InstallLines {
  const posix = `DEX_ENROLMENT_SECRET=${secret} npm run agent -- --server ${publicUrl}`;
  return {
    linux: posix,
    macos: posix,
    windows: `$env:DEX_ENROLMENT_SECRET='${secret}'; npm run agent -- --server ${publicUrl}`,
  };
}
