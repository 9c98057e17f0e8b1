/** How the agent joins the fleet: with an enrolment's secret it gets a token of its own, which it keeps for the next start. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir, hostname, release, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { OS_PLATFORMS } from './domain/signals/declaration.ts';

/** What the agent reads of the environment: what on the command line every user of the machine could see. */
export function agentSecrets(env: Record<string, string | undefined>): {
  token: string | undefined;
  enrolmentSecret: string | undefined;
} {
  return {
    token: env.DEX_AGENT_TOKEN?.trim() || undefined,
    enrolmentSecret: env.DEX_ENROLMENT_SECRET?.trim() || undefined,
  };
}

/** Whether the environment lets nothing personal leave the machine. */
export function isForcedPrivate(env: Record<string, string | undefined>): boolean {
  return env.DEX_PRIVACY?.trim() === 'pseudonymous';
}

/** Whether the server let nothing personal be collected when it was heard last; false where it was not heard yet. */
export function keptPrivacy(file: string): boolean {
  return existsSync(privacyFile(file));
}

/** Keeps what the server said for the next start, when its first report is measured before it is heard. */
export function keepPrivacy(file: string, isPrivate: boolean): void {
  if (isPrivate === keptPrivacy(file)) return;
  if (isPrivate) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(privacyFile(file), 'pseudonymous\n', { mode: 0o600 });
  } else rmSync(privacyFile(file), { force: true });
}

const privacyFile = (file: string) => `${file}.private`;

/** One file a server, so that a machine may try another one. */
export function tokenFile(server: URL, home = homedir()): string {
  return join(home, '.dexops-agent', `${server.host.replaceAll(':', '_')}.token`);
}

/** The token of an earlier enrolment; undefined where there was none. */
export async function keptToken(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

interface Joined {
  hostname: string;
  token: string;
  warnings: string[];
  /** What the service lets the agent collect. */
  privacy?: string;
}

const NAMES: Partial<Record<NodeJS.Platform, string>> = { darwin: 'macos', win32: 'windows' };

/**
 * Joins, and keeps the token in `file` (mode 0600).
 * @param server the service's address, with a slash at the end
 * @throws Error with what the service answered, when it does not let the machine in
 */
export async function enrol(
  server: URL,
  secret: string,
  { file, machineId, isPrivate = false }: { file: string; machineId: string | null; isPrivate?: boolean },
): Promise<Joined> {
  const platform = NAMES[process.platform] ?? process.platform;
  const response = await fetch(new URL('agent/v1/enroll', server), {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      hostname: hostname(),
      os_platform: OS_PLATFORMS.find((known) => known === platform) ?? 'other',
      os_version: release(),
      machine_id: machineId,
      user: isPrivate ? null : userInfo().username,
      agent_version: version(),
    }),
    // A redirect would take the secret to wherever it points.
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`this machine was not let in (HTTP ${response.status}): ${text.slice(0, 500)}`);
  const joined = JSON.parse(text) as Joined;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${joined.token}\n`, { mode: 0o600 });
  return joined;
}

function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
