import type { IncomingMessage, RequestListener } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { agentEnvironment } from '../src/agent/environment.ts';
import { type Collect, runAgent } from '../src/agent/runAgent.ts';
import { type AgentSettings, readCommandLine, runSettings } from '../src/agent/settings.ts';
import { agentSnapshotWire } from '../src/core/scans/agentSnapshot.ts';
import { unreachableSnapshot } from '../src/domain/signals/telemetry.ts';
import { targetOf } from './helpers/collecting.ts';
import { flatSnapshot } from './helpers/flatSnapshot.ts';
import { freePort } from './helpers/freePort.ts';
import { startHttpServer } from './helpers/httpServer.ts';

const readSettings = (args: string[], token?: string): AgentSettings =>
  runSettings(readCommandLine(args), { token }, null);

describe('the command line', () => {
  const read = (line: string, token?: string): AgentSettings => readSettings(line.split(' '), token);

  it('takes an address as the way to the internet, never a name, and may leave programs unnamed', () => {
    const given = (...more: string[]) => readSettings(['--server', 'https://dex.example', ...more], 'secret');
    expect(given('--internet-target', '192.0.2.1:443', '--no-personal')).toMatchObject({
      internetTarget: '192.0.2.1:443',
      personal: false,
    });
    expect(given('--internet-target', '[2001:db8::1]:443').internetTarget).toBe('[2001:db8::1]:443');
    expect(() => given('--internet-target', 'example.com')).toThrow(/not an IP address/);
  });

  it('posts below the server, whatever its path', () => {
    const settings = read('--server https://dex.example.com/tools --services cups,sshd', 'secret');
    expect(settings).toEqual({
      server: new URL('https://dex.example.com/tools/'),
      token: 'secret',
      intervalMs: 300_000,
      services: ['cups', 'sshd'],
      internetTarget: undefined,
      personal: true,
      isPrivate: false,
      updates: true,
      once: false,
    });
  });

  it('prefers the token of the command line', () => {
    expect(read('--server https://a --token typed', 'environment').token).toBe('typed');
  });

  it.each([
    ['--token t', /--server is missing/],
    ['--server https://a', /DEX_AGENT_TOKEN/],
    ['--server ftp://a --token t', /not an http/],
    ['--server nonsense --token t', /not an http/],
    ['--server http://dex.example.com --token t', /clear text/],
    ['--server http://127.0.0.1.evil.example --token t', /clear text/],
    ['--server https://a --token t --interval 5', /--interval 5/],
    ['--server https://a --token t --interval soon', /--interval soon/],
    ['--server https://a --token t --frequently', /--frequently/],
  ])('refuses %j', (line, message) => expect(() => read(line)).toThrow(message));

  it.each(['http://localhost:8000', 'http://127.0.0.1', 'http://[::1]:8000'])('lets %s pass without TLS', (server) => {
    expect(read(`--server ${server} --token t`).server.protocol).toBe('http:');
  });

  it('sends in clear text when told to', () => {
    expect(read('--server http://dex.example.com --token t --insecure').server.protocol).toBe('http:');
  });
});

describe('runAgent', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  const target = targetOf('push', {}, 'laptop-7');
  /** Snapshots one minute apart, so that they can be distinguished. */
  const collectInOrder = (): Collect => {
    let minute = 0;
    return async () => flatSnapshot(target, new Date(Date.UTC(2026, 0, 1, 0, minute++)), { cpuPct: 10 });
  };
  const settingsFor = (port: number, change: Partial<AgentSettings> = {}): AgentSettings => ({
    server: new URL(`http://127.0.0.1:${port}/`),
    token: 'secret',
    intervalMs: 20,
    services: undefined,
    internetTarget: undefined,
    personal: true,
    isPrivate: false,
    updates: true,
    once: true,
    ...change,
  });
  async function serve(listener: RequestListener): Promise<number> {
    const { port, stop } = await startHttpServer(listener);
    stops.push(stop);
    return port;
  }
  async function run(settings: AgentSettings, collect = collectInOrder(), signal = new AbortController().signal) {
    const lines: string[] = [];
    const code = await runAgent(settings, { collect, say: (line) => lines.push(line), signal, firstRetryMs: 5 });
    return { code, said: lines.join('\n') };
  }
  const bodyOf = async (request: IncomingMessage): Promise<unknown> => JSON.parse((await request.toArray()).join(''));

  it('learns from the answer that nothing personal may be measured, keeps that, and stops for a pause', async () => {
    const stop = new AbortController();
    const reports: Record<string, unknown>[] = [];
    const port = await serve(async (request, response) => {
      reports.push((await bodyOf(request)) as Record<string, unknown>);
      const isPaused = reports.length === 2;
      const paused_until = isPaused ? new Date(Date.now() + 3_600_000).toISOString() : null;
      response.writeHead(202).end(JSON.stringify({ ok: true, privacy: 'pseudonymous', paused_until }));
    });
    const asked: boolean[] = [];
    const kept: boolean[] = [];
    const at = new Date('2026-01-01T07:11:12Z');
    const collect: Collect = async (_previous, mayBePersonal) => {
      asked.push(mayBePersonal);
      return flatSnapshot(target, new Date(at.getTime() + asked.length * 60_000), { bootedAt: at, cpuPct: 10 });
    };
    const said: string[] = [];
    await runAgent(settingsFor(port, { once: false }), {
      collect,
      say(line) {
        said.push(line);
        if (line.includes('paused')) stop.abort();
      },
      signal: stop.signal,
      keepMode: (isPrivate) => kept.push(isPrivate),
    });
    expect(asked).toEqual([true, false]);
    expect(kept).toEqual([true, true]);
    expect(reports.map(({ readings }) => (readings as Record<string, unknown>).booted_at)).toEqual([
      { value: at.toISOString() },
      { value: '2026-01-01T06:00:00.000Z' },
    ]);
    expect(said.at(-1)).toContain('paused');
  });

  it('never reports anything personal where its environment says so, whatever the server says', async () => {
    const seen: unknown[] = [];
    const port = await serve(async (request, response) => {
      seen.push(((await bodyOf(request)) as { readings: Record<string, unknown> }).readings.booted_at);
      response.writeHead(202).end(JSON.stringify({ ok: true, privacy: 'named', paused_until: null }));
    });
    const at = new Date('2026-01-01T07:11:12Z');
    const settings = runSettings(
      readCommandLine(['--server', `http://127.0.0.1:${port}`, '--once']),
      {
        token: 't',
        isPrivate: agentEnvironment({ DEX_PRIVACY: 'pseudonymous' }).isPrivate,
      },
      null,
    );
    await runAgent(settings, {
      collect: async () => flatSnapshot(target, at, { bootedAt: at }),
      say: () => {},
      signal: new AbortController().signal,
    });
    expect(seen).toEqual([{ value: '2026-01-01T06:00:00.000Z' }]);
  });

  it('posts one report with its token and ends well', async () => {
    const seen: unknown[] = [];
    const port = await serve(async (request, response) => {
      const { method, url, headers } = request;
      seen.push([method, url, headers.authorization, agentSnapshotWire.parse(await bodyOf(request)).readings?.cpu_pct]);
      response.writeHead(202).end();
    });
    expect(await run(settingsFor(port))).toEqual({ code: 0, said: expect.stringContaining('delivered') });
    expect(seen).toEqual([['POST', '/api/v1/dex/agent/snapshot', 'Bearer secret', { value: 10 }]]);
  });

  it.each([
    [401, /refused the token.*register this machine again/],
    [403, /refused the token/],
    [422, /called the report invalid.*cpu_pct is odd/],
    [404, /is http:\/\/127\.0\.0\.1:\d+ the DexOps server itself/],
    [307, /HTTP 307/],
    [503, /not taken \(HTTP 503\)/],
  ])('explains an answer of %i and ends with 1', async (status, said) => {
    const port = await serve((_, response) => response.writeHead(status, { location: '/x' }).end('cpu_pct is odd'));
    expect(await run(settingsFor(port))).toEqual({ code: 1, said: expect.stringMatching(said) });
  });

  it('says when nobody is there', async () => {
    const { code, said } = await run(settingsFor(await freePort()));
    expect(code).toBe(1);
    expect(said).toMatch(/cannot be reached: .*ECONNREFUSED/);
  });

  it('stops for good when the token is refused', async () => {
    const port = await serve((_, response) => response.writeHead(401).end());
    expect((await run(settingsFor(port, { once: false }))).code).toBe(1);
  });

  it('keeps reports while the server is away and delivers them in order', async () => {
    const delivered: string[] = [];
    const stop = new AbortController();
    let requests = 0;
    const port = await serve(async (request, response) => {
      const body = await bodyOf(request);
      const reports = request.url === '/agent/v1/reports' ? (body as { reports: unknown[] }).reports : [body];
      if (++requests <= 6) {
        response.writeHead(503).end();
        return;
      }
      for (const report of reports) delivered.push(agentSnapshotWire.parse(report).collected_at.slice(14, 16));
      response.writeHead(202).end();
      if (delivered.length >= 5) stop.abort();
    });
    expect((await run(settingsFor(port, { once: false }), collectInOrder(), stop.signal)).code).toBe(0);
    expect(delivered.slice(0, 5)).toEqual(['00', '01', '02', '03', '04']);
  });

  it('drops a report that the server calls invalid and goes on', async () => {
    const stop = new AbortController();
    let requests = 0;
    const port = await serve((_, response) => {
      response.writeHead(++requests === 1 ? 400 : 202).end();
      if (requests === 3) stop.abort();
    });
    const { said } = await run(settingsFor(port, { once: false }), collectInOrder(), stop.signal);
    expect(said.match(/dropped/g)).toHaveLength(1);
    expect(said.match(/delivered/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('does not report what could not be measured', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests++;
      response.end();
    });
    const collect: Collect = async () => unreachableSnapshot(target, new Date(), 'df hangs', 5);
    expect(await run(settingsFor(port), collect)).toEqual({ code: 1, said: expect.stringContaining('df hangs') });
    expect(requests).toBe(0);
  });
});
