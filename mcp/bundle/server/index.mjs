// @ts-check
/** Carries MCP between a client's stdin and stdout and the /mcp of a DexOps service; it holds no data and needs no package. */
import { createInterface } from 'node:readline';

const url = process.env.DEXOPS_URL || 'http://localhost:8000/mcp';
const key = process.env.DEXOPS_API_KEY ?? '';

/** Set by the service at the introduction, and sent with every later message. */
let session = '';
/** What the client and the service agreed on. */
let revision = '';
/** Requests under way, so that the process ends after their answers. */
const pending = new Set();
/** Until the introduction is answered, later messages wait, because they need its session. */
let introduced = Promise.resolve();

/** @param {unknown} message */
function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function headers() {
  return {
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    ...(key && { Authorization: `Bearer ${key}` }),
    ...(session && { 'Mcp-Session-Id': session }),
    ...(revision && { 'MCP-Protocol-Version': revision }),
  };
}

/** @param {{ id?: string | number, method?: string }} message @param {string} problem */
function fail(message, problem) {
  if (message.id === undefined || message.method === undefined) process.stderr.write(`${problem}\n`);
  else write({ jsonrpc: '2.0', id: message.id, error: { code: -32000, message: problem } });
}

/** @param {any} message */
async function send(message) {
  let response;
  try {
    response = await fetch(url, { method: 'POST', headers: headers(), body: JSON.stringify(message) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return fail(message, `DexOps at ${url} does not answer: ${cause}. Is the address right, and does the service run?`);
  }
  session ||= response.headers.get('Mcp-Session-Id') ?? '';
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    const hint = response.status === 401 ? ' Check the API key in the settings of this extension.' : '';
    return fail(message, `${body?.error?.message ?? `DexOps answered with ${response.status}.`}${hint}`);
  }
  if (response.headers.get('Content-Type')?.includes('text/event-stream')) await readEvents(response, message);
  else if (response.status !== 202) receive(await response.json(), message);
}

/** @param {any} answer @param {any} asked */
function receive(answer, asked) {
  if (asked.method === 'initialize' && answer.id === asked.id) revision = answer.result?.protocolVersion ?? '';
  write(answer);
}

/** Each event is one message of the protocol. @param {Response} response @param {any} asked */
async function readEvents(response, asked) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data) receive(JSON.parse(data), asked);
    }
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line.trim() === '') return;
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    write({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'This line is not JSON.' } });
    return;
  }
  const sent = introduced
    .then(() => send(message))
    .catch((error) => fail(message, `The answer was broken off: ${error}`));
  if (message.method === 'initialize') introduced = sent;
  pending.add(sent);
  void sent.finally(() => pending.delete(sent));
});
lines.on('close', async () => {
  await Promise.allSettled([...pending]);
  // The service frees what it kept for this client.
  if (session) await fetch(url, { method: 'DELETE', headers: headers() }).catch(() => {});
  process.exit(0);
});
