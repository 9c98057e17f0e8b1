/** A real Prometheus, node_exporter and Alertmanager in front of the service; and the service killed in the middle of a load. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type RunningProgram, startProgram } from '../helpers/childProcess.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../helpers/deliveries.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { freePort } from '../helpers/freePort.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { nodeExporterBinary, startNodeExporter } from '../helpers/nodeExporter.ts';
import { API_KEY, startTestService } from '../helpers/service.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/serviceProcess.ts';

const GROUP_WAIT_S = 2;
const PATH = '/api/v1/webhooks/alertmanager';

async function until<T>(what: string, limitMs: number, look: () => Promise<T | null | undefined>): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('an alert of Prometheus comes, repeats without a change, and ends; the time to repair is right', async ({
  skip,
}) => {
  const prometheus = findBinary('prometheus');
  const alertmanager = findBinary('prometheus-alertmanager', 'alertmanager');
  if (!prometheus || !alertmanager || !nodeExporterBinary()) {
    return skip('needs apt-get install prometheus prometheus-alertmanager prometheus-node-exporter');
  }
  const dir = await mkdtemp(join(tmpdir(), 'dexops-alertmanager-'));
  const service = await startTestService({ WEBHOOK_SECRET }, { healing: null });
  const running: { stop(): Promise<void> }[] = [];
  try {
    await service.call('POST', '/api/v1/dex/endpoints', {
      hostname: '127.0.0.1.test',
      ip_address: '127.0.0.1',
      collector: 'push',
    });
    // The problem is a number in a file that node_exporter passes on.
    const trouble = (value: number) => writeFile(join(dir, 'trouble.prom'), `test_trouble ${value}\n`);
    await trouble(1);
    const exporter = await startNodeExporter([`--collector.textfile.directory=${dir}`]);
    running.push(exporter);
    /** What Alertmanager says to others, to hold our record against. */
    const said: { status: string; startsAt: string; endsAt: string }[] = [];
    const listener = await startHttpServer((request, response) => {
      text(request).then((body) => said.push(...JSON.parse(body).alerts));
      response.end();
    });
    running.push(listener);
    const ports = { alertmanager: await freePort(), prometheus: await freePort() };
    await writeFile(
      join(dir, 'rules.yml'),
      `groups:
  - name: test
    rules:
      - alert: Trouble
        expr: test_trouble > 0
        labels: { severity: critical }
        annotations: { summary: "problem {{ $value }}" }
`,
    );
    await writeFile(
      join(dir, 'prometheus.yml'),
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [${join(dir, 'rules.yml')}]
alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:${ports.alertmanager}"] }] }] }
scrape_configs: [{ job_name: node, static_configs: [{ targets: ["127.0.0.1:${exporter.port}"] }] }]
`,
    );
    await writeFile(
      join(dir, 'alertmanager.yml'),
      `route: { receiver: dexops, group_by: [alertname], group_wait: ${GROUP_WAIT_S}s, group_interval: 2s, repeat_interval: 2s }
receivers:
  - name: dexops
    webhook_configs:
      - url: ${service.url}${PATH}
        send_resolved: true
        http_config: { authorization: { credentials: ${WEBHOOK_SECRET} } }
      - { url: "http://127.0.0.1:${listener.port}/", send_resolved: true }
`,
    );
    const start = async (binary: string, args: string[], ready: RegExp): Promise<RunningProgram> => {
      const program = await startProgram(binary, args, ready);
      running.push(program);
      return program;
    };
    await start(
      alertmanager,
      [
        `--config.file=${join(dir, 'alertmanager.yml')}`,
        `--storage.path=${join(dir, 'am')}`,
        `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
        '--cluster.listen-address=',
      ],
      /Listening on|msg=Listening/,
    );
    await start(
      prometheus,
      [
        `--config.file=${join(dir, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(dir, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${ports.prometheus}`,
      ],
      /Server is ready/,
    );
    const alerts = async (status: string) =>
      (await service.call('GET', `/api/v1/dex/alerts?status=${status}`)).body.alerts as Record<string, any>[];

    const active = await until('Prometheus fires', 30_000, async () => {
      const page = await (await fetch(`http://127.0.0.1:${ports.prometheus}/api/v1/alerts`)).json();
      const [first] = (page as any).data.alerts;
      return first?.state === 'firing' ? { at: Date.parse(first.activeAt), seenAt: Date.now() } : null;
    });
    const raised = await until('the alert', 15_000, async () => (await alerts('open'))[0]);
    // One group_wait, with a second each for evaluation and sending.
    expect(Date.now() - active.seenAt).toBeLessThan(GROUP_WAIT_S * 1000 + 2000);
    expect(raised).toMatchObject({
      hostname: '127.0.0.1.test',
      alert_name: 'Trouble',
      message: 'problem 1',
      alert_type: 'prometheus',
      severity: 'critical',
      status: 'active',
    });
    expect(Date.parse(raised.created_at) - Date.parse(raised.starts_at)).toBeLessThan(GROUP_WAIT_S * 1000 + 3000);

    const deliveries = async () =>
      (await service.app.ports.store.audit.list({ tool: 'ingest_alerts' }, { limit: 1, offset: 0 })).total;
    await until('three repeats', 30_000, async () => (await deliveries()) >= 4);
    expect(await alerts('all')).toEqual([raised]);
    expect((await service.call('GET', `/api/v1/dex/alerts/${raised.id}`)).body.timeline).toHaveLength(1);

    await trouble(0);
    const endedAt = Date.now();
    const resolved = await until('the end', 30_000, async () => (await alerts('resolved'))[0]);
    expect(resolved).toMatchObject({ id: raised.id, resolution: 'source', flaps: 0 });
    expect(Math.abs(Date.parse(resolved.resolved_at) - endedAt)).toBeLessThan(3500);

    // Ours, Alertmanager's and Prometheus' own record of the problem are one.
    const end = await until('the end as others hear it', 30_000, async () =>
      said.find(({ status }) => status === 'resolved'),
    );
    expect(Date.parse(resolved.starts_at)).toBe(Date.parse(end.startsAt));
    expect(Date.parse(resolved.resolved_at)).toBe(Date.parse(end.endsAt));
    expect(Math.abs(active.at - Date.parse(resolved.starts_at))).toBeLessThan(1000);
    const { body: kpi } = await service.call('GET', '/api/v1/dex/kpis');
    const seconds = (Date.parse(end.endsAt) - active.at) / 1000;
    expect(Math.abs(kpi.mttr_minutes * 60 - seconds)).toBeLessThan(1);
    expect(kpi).toMatchObject({ total_alerts: 1, resolved_alerts: 1, open_alerts: 0 });
  } finally {
    for (const program of running.reverse()) await program.stop();
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

test('killed in the middle of 10,000 alerts, restarted, delivered again: every alert once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-kill-'));
  const env = { DATA_DIR: dir, PORT: String(await freePort()), WEBHOOK_SECRET };
  const hosts = Array.from({ length: 50 }, (_, i) => `pc-${i}`);
  const bodies = Array.from({ length: 500 }, (_, group) =>
    JSON.stringify(
      delivery(...Array.from({ length: 20 }, (_, i) => alert({ host: hosts[(group + i) % 50], name: `Load${group}` }))),
    ),
  );
  const call = (service: ServiceProcess, method: string, path: string, body?: string) =>
    fetch(service.url + path, {
      method,
      body,
      headers: {
        'Content-Type': 'application/json',
        ...(path === PATH ? { Authorization: `Bearer ${WEBHOOK_SECRET}` } : { 'X-API-Key': API_KEY }),
      },
    });
  /** Posts all groups from eight senders; returns the groups that were answered 200. */
  const deliverAll = async (service: ServiceProcess, onAnswer: (answered: number) => void): Promise<Set<number>> => {
    const answered = new Set<number>();
    let next = 0;
    const sender = async () => {
      while (next < bodies.length) {
        const group = next++;
        const response = await call(service, 'POST', PATH, bodies[group]).catch(() => null);
        if (response?.status !== 200) continue;
        answered.add(group);
        onAnswer(answered.size);
      }
    };
    await Promise.all(Array.from({ length: 8 }, sender));
    return answered;
  };
  let service = await startServiceProcess(env);
  try {
    for (const hostname of hosts) {
      const body = JSON.stringify({ hostname, collector: 'push' });
      expect((await call(service, 'POST', '/api/v1/dex/endpoints', body)).status).toBe(201);
    }
    const victim = service;
    const answered = await deliverAll(victim, (count) => {
      if (count === 200) victim.child.kill('SIGKILL');
    });
    expect(answered.size).toBeGreaterThanOrEqual(200);
    expect(answered.size).toBeLessThan(bodies.length);

    service = await startServiceProcess(env);
    const kept = new Set<string>();
    for (const hostname of hosts) {
      const page = (await (
        await call(service, 'GET', `/api/v1/dex/alerts?hostname=${hostname}&limit=1000`)
      ).json()) as { alerts: { alert_name: string }[] };
      for (const { alert_name } of page.alerts) kept.add(`${hostname}/${alert_name}`);
    }
    for (const group of answered) {
      for (let i = 0; i < 20; i++) expect(kept).toContain(`${hosts[(group + i) % 50]}/Load${group}`);
    }

    expect((await deliverAll(service, () => {})).size).toBe(bodies.length);
    const { total } = (await (await call(service, 'GET', '/api/v1/dex/alerts?status=all&limit=1')).json()) as {
      total: number;
    };
    expect(total).toBe(10_000);
  } finally {
    await service.end();
    await rm(dir, { recursive: true, force: true });
  }
});
