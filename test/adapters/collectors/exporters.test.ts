import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createCollectors } from '../../../src/adapters/collectors/collectors.ts';
import type { Snapshot } from '../../../src/domain/signals/telemetry.ts';
import { contextAt, memoryKnownHosts, targetOf } from '../../helpers/collecting.ts';
import { exporterPage, type SimulatedMachine } from '../../helpers/exporterPage.ts';
import { flatOf } from '../../helpers/flatSnapshot.ts';
import { freePort } from '../../helpers/freePort.ts';
import { startHttpServer } from '../../helpers/httpServer.ts';

const collectors = createCollectors({ ssh: { knownHosts: memoryKnownHosts(), keysDir: null } });
afterAll(() => collectors.close());

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(listener: RequestListener): Promise<number> {
  const { port, stop } = await startHttpServer(listener);
  stops.push(stop);
  return port;
}

const now = new Date('2026-03-01T12:00:00Z');
const minutesLater = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const machine: SimulatedMachine = {
  cores: 4,
  cpuBusyPct: 40,
  memoryUsedPct: 62.5,
  diskUsedPct: 91,
  bootedAt: new Date('2026-02-01T00:00:00Z'),
};
const reasonFor = (snapshot: Snapshot, metric: string): string | undefined =>
  flatOf(snapshot).unmeasured.find((each) => each.metric === metric)?.reason;

let hosts = 0;
/** Every look at a new name, so that no CPU history leaks from one test into the next. */
const newHost = (): string => `host-${++hosts}`;

describe('the node_exporter collector', () => {
  it('measures what the page tells and names what it does not', async () => {
    const port = await serve((_, response) => response.end(exporterPage(machine, now)));
    const snapshot = await collectors.collect(targetOf('node_exporter', { port }), contextAt(now, { quick: true }));
    expect(flatOf(snapshot)).toMatchObject({
      reachable: true,
      memoryPct: 62.5,
      diskPct: 91,
      diskMount: '/',
      packetLossPct: 0,
      latencyMs: expect.any(Number),
      bootedAt: machine.bootedAt,
      dnsFailures: null,
      servicesDown: null,
      logErrors: null,
    });
    expect(reasonFor(snapshot, 'cpuPct')).toMatch(/two samples/);
    expect(
      flatOf(snapshot)
        .unmeasured.map(({ metric }) => metric)
        .sort(),
    ).toEqual(['cpuPct', 'dnsFailures', 'logErrors', 'servicesDown']);
  });

  it('averages CPU use since the previous look, at the cost of one scrape', async () => {
    let scrapes = 0;
    let at = now;
    const port = await serve((_, response) => {
      scrapes++;
      response.end(exporterPage(machine, at));
    });
    const target = targetOf('node_exporter', { port }, newHost());
    await collectors.collect(target, contextAt(now, { quick: true }));
    at = minutesLater(15);
    const second = await collectors.collect(target, contextAt(at, { quick: true }));
    expect(flatOf(second).cpuPct).toBeCloseTo(40, 0);
    expect(scrapes).toBe(2);
  });

  it('takes a second sample at once when somebody waits for a first look', async () => {
    let at = now;
    const port = await serve((_, response) => {
      response.end(exporterPage(machine, at));
      at = minutesLater(1);
    });
    const snapshot = await collectors.collect(targetOf('node_exporter', { port }, newHost()), contextAt(now));
    expect(flatOf(snapshot).cpuPct).toBeCloseTo(40, 0);
    expect(snapshot.durationMs).toBeGreaterThanOrEqual(1000);
  });

  it('does not compute CPU use across a reboot', async () => {
    let booted = machine;
    const port = await serve((_, response) => response.end(exporterPage(booted, minutesLater(15))));
    const target = targetOf('node_exporter', { port }, newHost());
    await collectors.collect(target, contextAt(now, { quick: true }));
    booted = { ...machine, bootedAt: minutesLater(10) };
    const snapshot = await collectors.collect(target, contextAt(minutesLater(15), { quick: true }));
    expect(flatOf(snapshot).cpuPct).toBeNull();
  });

  it('reads systemd units, with and without a list of services', async () => {
    const page = exporterPage({ ...machine, failedUnits: ['cups.service'] }, now);
    const port = await serve((_, response) => response.end(page));
    const look = (services?: string[]): Promise<Snapshot> =>
      collectors.collect(targetOf('node_exporter', { port, services }), contextAt(now, { quick: true }));
    expect(flatOf(await look()).servicesDown).toEqual(['cups']);
    expect(flatOf(await look(['ssh', 'nginx'])).servicesDown).toEqual(['nginx']);
  });

  it("reads a Mac's memory", async () => {
    const lines = ['active 4e9', 'wired 2e9', 'compressed 2e9', 'total 1.6e10'].map((line) => {
      const [kind, bytes] = line.split(' ');
      return `node_memory_${kind}_bytes ${bytes}\n`;
    });
    const port = await serve((_, response) => response.end(lines.join('')));
    const snapshot = await collectors.collect(targetOf('node_exporter', { port }), contextAt(now, { quick: true }));
    expect(flatOf(snapshot).memoryPct).toBe(50);
  });

  it('asks for the path that was registered, under the name of the endpoint', async () => {
    const requests: unknown[] = [];
    const port = await serve(({ method, url, headers }, response) => {
      requests.push([method, url, headers.host]);
      response.end(exporterPage(machine, now));
    });
    const target = targetOf('node_exporter', { port, path: '/probe?module=x' }, 'pc.example');
    await collectors.collect(target, contextAt(now, { quick: true }));
    expect(requests).toEqual([['GET', '/probe?module=x', `pc.example:${port}`]]);
  });
});

describe('an exporter that misbehaves is a named failure', () => {
  const looked = async (listener: RequestListener, timeoutMs = 10_000): Promise<Snapshot> =>
    collectors.collect(
      targetOf('node_exporter', { port: await serve(listener), timeoutMs }, newHost()),
      contextAt(now),
    );

  const endlessly = (piece: string | Buffer): RequestListener => {
    return async (_, response) => {
      response.on('error', () => {});
      while (!response.destroyed) {
        if (!response.write(piece))
          await Promise.race([new Promise((drained) => response.once('drain', drained)), sleep(50)]);
      }
    };
  };

  it.each<[string, RegExp, RequestListener]>([
    [
      'HTML by its type',
      /web page instead of metrics/,
      (_, response) => {
        response.setHeader('content-type', 'text/html');
        response.end('hello');
      },
    ],
    ['HTML by its looks', /web page instead of metrics/, (_, response) => void response.end('\n<!doctype html><p>hi')],
    ['500', /answered HTTP 500/, (_, response) => void response.writeHead(500).end('x'.repeat(100_000))],
    [
      'a redirect',
      /answered HTTP 302/,
      (_, response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    ],
    ['nothing', /none of the metrics of node_exporter/, (_, response) => void response.end()],
    [
      'garbage',
      /none of the metrics of node_exporter/,
      (_, response) => void response.end(Buffer.from('8f00ff\n\u0000{}'.repeat(999))),
    ],
    [
      'other metrics',
      /none of the metrics of node_exporter/,
      (_, response) => void response.end('windows_os_info 1\n'),
    ],
    ['100 MB', /more than 8 MB/, endlessly('node_boot_time_seconds 1\n'.repeat(4000))],
    ['a line without an end', /line without an end/, endlessly('x'.repeat(65_536))],
    [
      'half a page',
      /closed the connection before the page was complete/,
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 });
        response.write('node_boot_time_seconds 1\n', () => response.destroy());
      },
    ],
  ])('%s', async (_, reason, listener) => {
    const snapshot = await looked(listener);
    expect(flatOf(snapshot)).toMatchObject({ reachable: false, cpuPct: null, memoryPct: null });
    expect(snapshot.unreachableReason).toMatch(reason);
  });

  it('a page that never ends is cut when its time is up', async () => {
    let closed = false;
    const snapshot = await looked((request, response) => {
      request.socket.once('close', () => {
        closed = true;
      });
      const timer = setInterval(() => response.write('node_boot_time_seconds 1\n'), 20);
      response.once('close', () => clearInterval(timer));
    }, 300);
    expect(snapshot.unreachableReason).toBe('no complete answer within 0.3 s');
    await expect.poll(() => closed).toBe(true);
  });

  it('a server that accepts and stays silent, too', async () => {
    const snapshot = await looked(() => {}, 300);
    expect(snapshot.unreachableReason).toBe('no complete answer within 0.3 s');
  });

  it('a closed port', async () => {
    const snapshot = await collectors.collect(targetOf('node_exporter', { port: await freePort() }), contextAt(now));
    expect(snapshot.unreachableReason).toMatch(/refused the connection/);
  });

  it('something that does not speak HTTP', async () => {
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end('SSH-2.0-OpenSSH_9\r\n'),
    );
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    stops.push(() => new Promise((closed) => server.close(() => closed())));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const snapshot = await collectors.collect(targetOf('node_exporter', { port }), contextAt(now));
    expect(snapshot.unreachableReason).toMatch(/does not speak HTTP/);
  });

  it.each(['169.254.169.254', '::ffff:169.254.169.254', '224.0.0.1', '0.0.0.0'])(
    'the address %s, which no endpoint may have',
    async (ipAddress) => {
      const target = { ...targetOf('node_exporter', { port: 80 }), ipAddress };
      expect((await collectors.collect(target, contextAt(now))).unreachableReason).toMatch(/refused/);
    },
  );

  it('a name that a resolver turns into such an address', async () => {
    // Resolvers read a bare number as an IPv4 address: this one is 169.254.169.254.
    const target = { ...targetOf('node_exporter', { port: 80 }, '2852039166'), ipAddress: null };
    const { unreachableReason } = await collectors.collect(target, contextAt(now));
    expect(unreachableReason).toMatch(/has the address 169\.254\.169\.254, which is refused: link-local/);
  });

  it('a slow endpoint delays no other', async () => {
    const slow = looked(() => {}, 1500);
    const port = await serve((_, response) => response.end(exporterPage(machine, now)));
    const fast = await collectors.collect(
      targetOf('node_exporter', { port }, newHost()),
      contextAt(now, { quick: true }),
    );
    expect(fast.reachable).toBe(true);
    expect(await Promise.race([slow.then(() => 'slow done'), Promise.resolve('fast first')])).toBe('fast first');
    expect((await slow).reachable).toBe(false);
  });
});

describe('the windows_exporter collector', () => {
  const page = (idleS: number, names: 'old' | 'new'): string => {
    const [total, available, boot] =
      names === 'new'
        ? ['memory_physical_total_bytes', 'memory_available_bytes', 'system_boot_time_timestamp']
        : ['cs_physical_memory_bytes', 'os_physical_memory_free_bytes', 'system_system_up_time'];
    return `windows_cpu_time_total{core="0,0",mode="idle"} ${idleS}
windows_cpu_time_total{core="0,0",mode="user"} ${(1000 - idleS) / 2}
windows_cpu_time_total{core="0,0",mode="privileged"} ${(1000 - idleS) / 2}
windows_cpu_time_total{core="0,0",mode="dpc"} 5000
windows_cpu_time_total{core="0,0",mode="interrupt"} 5000
windows_${total} 1.6e+10
windows_${available} 4e+09
windows_logical_disk_size_bytes{volume="C:"} 1e+12
windows_logical_disk_free_bytes{volume="C:"} 1e+11
windows_logical_disk_size_bytes{volume="HarddiskVolume1"} 1e+09
windows_logical_disk_free_bytes{volume="HarddiskVolume1"} 1e+06
windows_service_state{name="spooler",state="running"} 1
windows_service_state{name="spooler",state="stopped"} 0
windows_service_state{name="wuauserv",state="running"} 0
windows_service_state{name="wuauserv",state="stopped"} 1
windows_${boot} 1.7e+09
`;
  };

  it.each(['old', 'new'] as const)('reads %s metric names, drive letters and listed services', async (names) => {
    const port = await serve((_, response) => response.end(page(500, names)));
    const options = { port, services: ['Spooler', 'wuauserv', 'Missing'] };
    const snapshot = await collectors.collect(targetOf('windows_exporter', options), contextAt(now, { quick: true }));
    expect(flatOf(snapshot)).toMatchObject({
      memoryPct: 75,
      diskPct: 90,
      diskMount: 'C:',
      servicesDown: ['wuauserv', 'Missing'],
      bootedAt: new Date(1.7e12),
    });
  });

  it('asks for a list of services rather than guessing one', async () => {
    const port = await serve((_, response) => response.end(page(500, 'new')));
    const snapshot = await collectors.collect(targetOf('windows_exporter', { port }), contextAt(now, { quick: true }));
    expect(reasonFor(snapshot, 'servicesDown')).toMatch(/list the services/);
  });

  it('counts CPU time once, though Windows reports interrupts twice', async () => {
    const pages = [
      'windows_cpu_time_total{core="0,0",mode="idle"} 0\nwindows_cpu_time_total{core="0,0",mode="user"} 1\n',
      'windows_cpu_time_total{core="0,0",mode="idle"} 75\nwindows_cpu_time_total{core="0,0",mode="user"} 26\nwindows_cpu_time_total{core="0,0",mode="dpc"} 500\n',
    ];
    const port = await serve((_, response) => response.end(pages.shift()));
    const target = targetOf('windows_exporter', { port }, newHost());
    await collectors.collect(target, contextAt(now, { quick: true }));
    const snapshot = await collectors.collect(target, contextAt(minutesLater(5), { quick: true }));
    expect(flatOf(snapshot).cpuPct).toBe(25);
  });
});

describe('a push endpoint', () => {
  it('is not scanned from here', async () => {
    const snapshot = await collectors.collect(targetOf('push', {}), contextAt(now));
    expect(snapshot).toMatchObject({
      reachable: false,
      unreachableReason: expect.stringContaining('reports by itself'),
    });
  });
});

describe('a scanner that gets no processor itself', () => {
  const busy = (ms: number) => {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  };
  const quickly = { timeoutMs: 400 };

  it('asks a machine again before it calls it unreachable, and says that it was late', async () => {
    let asked = 0;
    const notes: string[] = [];
    const port = await serve((_, response) => {
      // What happens between the question and the answer costs the scanner its time, not the machine.
      if (++asked === 1) busy(900);
      response.end(exporterPage(machine, now));
    });
    const context = contextAt(now, { quick: true, note: (text) => notes.push(text) });
    const snapshot = await collectors.collect(targetOf('node_exporter', { port, ...quickly }, newHost()), context);
    expect(snapshot).toMatchObject({ reachable: true });
    expect(asked).toBe(2);
    expect(notes).toEqual([
      expect.stringMatching(/^this service was \d\.\d s late by itself, so host-\d+ is asked again$/),
    ]);
  });

  it('asks a machine that does not answer once, when there was time for it', async () => {
    let asked = 0;
    const port = await serve(() => void asked++);
    const snapshot = await collectors.collect(
      targetOf('node_exporter', { port, ...quickly }, newHost()),
      contextAt(now, { quick: true }),
    );
    expect(snapshot).toMatchObject({ reachable: false, unreachableReason: 'no complete answer within 0.4 s' });
    expect(asked).toBe(1);
  });
});
