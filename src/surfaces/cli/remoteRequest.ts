/** A request of the command line to a service elsewhere. */
import { AppError, type ErrorKind } from '../../core/errors.ts';

interface Remote {
  service: string;
  token?: string;
}

const TIMEOUT_MS = 60_000;
const KINDS: readonly ErrorKind[] = [
  'invalid',
  'unauthenticated',
  'denied',
  'not_found',
  'conflict',
  'refused',
  'too_large',
  'rate_limited',
  'unavailable',
];

/** @returns the answer's JSON, null of an empty one. @throws AppError as the service's own tools do, `unavailable` without an answer */
export async function askRemote(remote: Remote, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await remoteResponse(remote, method, path, 'application/json', body);
  const text = await response.text();
  return text === '' ? null : jsonOf(text, remote);
}

/** @param accept the type of answer that is wanted */
export async function remoteResponse(
  { service, token }: Remote,
  method: string,
  path: string,
  accept: string,
  body?: unknown,
): Promise<Response> {
  const response = await fetch(service + path, {
    method,
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      Accept: accept,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: Error) => {
    throw new AppError('unavailable', `${service} does not answer: ${reasonOf(error)}`);
  });
  if (response.ok) return response;
  const { error } = jsonOf(await response.text(), { service }) as {
    error?: { kind?: ErrorKind; message?: string; details?: unknown };
  };
  const kind = KINDS.find((known) => known === error?.kind) ?? (response.status === 404 ? 'not_found' : 'unavailable');
  throw new AppError(kind, error?.message ?? `${service} answered ${response.status}.`, error?.details);
}

function jsonOf(text: string, { service }: Pick<Remote, 'service'>): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError('unavailable', `${service} answers, but not as DexOps does. Check the address.`);
  }
}

function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message : message;
}
