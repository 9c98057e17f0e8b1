/** Signing in to a service elsewhere: the person answers its identity provider in a browser, and this machine keeps the session. */
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { COMMAND_PREFIXES } from '../../core/callText.ts';
import { visibleLine } from '../../core/characters.ts';
import { AppError } from '../../core/errors.ts';
import { loginFile } from './loginFile.ts';
import { askRemote } from './remoteRequest.ts';
import type { Terminal } from './terminal.ts';

const loginShape = z.object({ service: z.url(), token: z.string().min(1), name: z.string(), expires_at: z.string() });
export type Login = z.output<typeof loginShape>;

type Env = Record<string, string | undefined>;

const PREFIX = COMMAND_PREFIXES.cli;

/** Null where nobody is signed in from here. @throws AppError `refused` for a file that others can read or nobody can */
export async function readLogin(env: Env): Promise<Login | null> {
  const file = loginFile(env);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new AppError('refused', `${file} cannot be read: ${error.message}`);
  });
  if (text === null) return null;
  // Windows keeps rights elsewhere; a user's folder is the user's there.
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0)
    throw new AppError(
      'refused',
      `${file} holds a session and can be read by others: chmod 600 ${file}, or end it with ${PREFIX} logout.`,
    );
  const found = loginShape.safeParse(parsed(text));
  if (!found.success)
    throw new AppError('refused', `${file} is not readable as a session: ${PREFIX} logout takes it away.`);
  return found.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function keep(file: string, login: Login): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.new`;
  await rm(beside, { force: true });
  await writeFile(beside, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  await chmod(beside, 0o600);
  await rename(beside, file);
}

const begun = z.object({
  device: z.string(),
  user_code: z.string(),
  address: z.url({ protocol: /^https?$/ }),
  complete_address: z.url({ protocol: /^https?$/ }).nullable(),
  expires_in_s: z.number().min(1).max(86_400),
  interval_s: z.number().min(1).max(60),
});
const answered = z.object({ token: z.string(), name: z.string(), expires_at: z.string() });

/** Waits between two questions. */
type Pause = (seconds: number) => Promise<void>;

/**
 * @returns what to say of it
 * @throws AppError when it did not come to a session; nothing has changed then
 */
export async function logIn(words: readonly string[], env: Env, terminal: Terminal, pause: Pause): Promise<string> {
  const service = serviceAddress(words);
  const asked = begun.parse(
    await askRemote({ service }, 'POST', '/session/device', {}).catch((error: unknown) => {
      if (error instanceof AppError && error.kind === 'not_found')
        throw new AppError(
          'refused',
          `${service} signs nobody in by an identity provider: it has no OIDC_CLIENT_ID. Use its REST API with a key.`,
        );
      throw error;
    }),
  );
  terminal.err(`Open ${asked.address} and enter the code ${visibleLine(asked.user_code)}`);
  terminal.browse(asked.complete_address ?? asked.address);
  const client = `dex of ${terminal.facts.user}`.slice(0, 100);
  for (let waitedS = 0; waitedS < asked.expires_in_s; waitedS += asked.interval_s) {
    await pause(asked.interval_s);
    const answer = answered.safeParse(
      await askRemote({ service }, 'POST', '/session/device/answer', { device: asked.device, client }),
    );
    if (!answer.success) continue;
    await keep(loginFile(env), { service, ...answer.data });
    const until = answer.data.expires_at.slice(0, 10);
    return `Signed in to ${service} as ${visibleLine(answer.data.name)} until ${until}. Commands go there until ${PREFIX} logout.`;
  }
  throw new AppError('unauthenticated', 'Nobody entered the code in time. Begin again.');
}

/** @throws AppError `invalid` for what is no address, or one at which others could read the session on its way */
function serviceAddress([given, ...others]: readonly string[]): string {
  if (given === undefined || others.length > 0)
    throw new AppError('invalid', `Usage: ${PREFIX} login https://dex.example.com`);
  const url = URL.canParse(given) ? new URL(given) : null;
  const isHere = url?.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url === null || !(url.protocol === 'https:' || isHere) || url.username !== '' || url.search !== '')
    throw new AppError(
      'invalid',
      `${visibleLine(given)} is no address to sign in at: it has to begin with https:// (http:// is for this machine alone).`,
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Ends the session there and forgets it here, which also happens where the service does not answer. @returns what to say of it */
export async function logOut(env: Env): Promise<string> {
  const file = loginFile(env);
  const login = await readLogin(env).catch(() => null);
  const wasThere = await stat(file).then(
    () => true,
    () => false,
  );
  await rm(file, { force: true });
  if (login === null) return wasThere ? `${file} is gone.` : 'Nobody was signed in.';
  const failure = await askRemote(login, 'DELETE', '/session').then(
    () => null,
    (error: Error) => error.message,
  );
  return failure === null
    ? `Signed out of ${login.service}.`
    : `Signed out here; ${login.service} did not hear of it (${failure}), where the session ends by itself.`;
}
