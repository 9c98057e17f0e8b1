/** What is shipped for running the service: Compose, image, Prometheus and Grafana, held against the code they speak of. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { createMetrics } from '../src/adapters/metrics/metrics.ts';
import { readConfig } from '../src/config.ts';
import { TOOLS } from '../src/core/tools/index.ts';
import { schedule } from '../src/surfaces/jobs.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const VARIABLES = Object.keys(readConfig({}));

describe('docker-compose.yml', () => {
  /** The part of the Compose specification that the file uses; anything else in it is a mistake or wants to be added here. */
  const words = z.array(z.string());
  const service = z.strictObject({
    build: z.literal('.').optional(),
    image: z.string().regex(/^(dexops|[\w./-]+:[\w.-]+)$/, 'images of others have a fixed version'),
    env_file: z.literal('.env').optional(),
    environment: z.record(z.string().regex(/^[A-Z0-9_]+$/), z.string()).optional(),
    volumes: words.optional(),
    read_only: z.boolean().optional(),
    tmpfs: words.optional(),
    cap_drop: words.optional(),
    security_opt: words.optional(),
    init: z.boolean().optional(),
    restart: z.literal('unless-stopped'),
    stop_grace_period: z
      .string()
      .regex(/^\d+s$/)
      .optional(),
    profiles: z.array(z.enum(['queue', 'postgres', 'monitoring'])).optional(),
    ports: words.optional(),
    command: words.optional(),
    entrypoint: words.optional(),
    depends_on: z
      .record(z.string(), z.strictObject({ condition: z.enum(['service_started', 'service_healthy']) }))
      .optional(),
    healthcheck: z
      .strictObject({ test: words, interval: z.string(), timeout: z.string(), retries: z.number().int() })
      .optional(),
  });
  const compose = z
    .strictObject({
      'x-dexops': z.unknown(),
      services: z.record(z.string(), service),
      volumes: z.record(z.string(), z.null()),
    })
    .parse(parse(read('docker-compose.yml'), { merge: true }));
  const services = Object.entries(compose.services);

  test('starts the service alone, and more by the profiles of the guide', () => {
    const inProfile = (profile?: string) =>
      services
        .filter(([, { profiles }]) => (profile ? profiles?.includes(profile as 'queue') : !profiles))
        .map(([name]) => name);
    expect(inProfile()).toEqual(['app']);
    expect(inProfile('queue')).toEqual(['worker', 'mongo']);
    expect(inProfile('postgres')).toEqual(['postgres']);
    expect(inProfile('monitoring')).toEqual(['prometheus', 'alertmanager', 'grafana']);
  });

  test('gives our own processes nothing that they do not need', () => {
    const ours = services.filter(([, { image }]) => image === 'dexops');
    expect(ours.map(([name]) => name)).toEqual(['app', 'worker']);
    for (const [, settings] of ours) {
      expect(settings).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });

  test('opens only the service to other machines', () => {
    const open = services.filter(([, { ports = [] }]) => ports.some((port) => !port.startsWith('127.0.0.1:')));
    expect(open.map(([name]) => name)).toEqual(['app']);
  });

  test('names volumes, files, services and variables that there are', () => {
    for (const [name, { volumes = [], depends_on = {}, environment = {}, build }] of services) {
      for (const source of volumes.map((volume) => volume.split(':')[0]!)) {
        if (source.startsWith('./'))
          expect(source === './backups' || existsSync(join(ROOT, source)), source).toBe(true);
        else expect(compose.volumes).toHaveProperty(source);
      }
      for (const other of Object.keys(depends_on)) expect(compose.services).toHaveProperty(other);
      if (build)
        expect(
          Object.keys(environment).filter((variable) => !VARIABLES.includes(variable)),
          name,
        ).toEqual([]);
    }
    const used = [...read('docker-compose.yml').matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, variable]) => variable!);
    expect(
      used.filter((variable) => ![...VARIABLES, 'POSTGRES_PASSWORD', 'GRAFANA_PASSWORD'].includes(variable)),
    ).toEqual([]);
  });

  test('each variable of the shared environment is valid', () => {
    for (const name of ['app', 'worker']) {
      const environment = compose.services[name]!.environment!;
      const plain = Object.entries(environment).map(([key, value]) => [
        key,
        value.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replace(/\$\{API_KEY:\?[^}]*\}/, 'sixteen-letters-'),
      ]);
      // Compose stops without a key, since nothing outside the container would reach the service.
      expect(environment.API_KEY).toMatch(/^\$\{API_KEY:\?/);
      expect(readConfig(Object.fromEntries(plain))).toMatchObject({ DATA_DIR: '/app/data', HOST: '0.0.0.0' });
    }
  });
});

describe('config/deploy', () => {
  const documents = parseAllDocuments(read('config/deploy/kubernetes.yaml')).map((document) => document.toJS());
  const named = (kind: string) => documents.filter((each) => each.kind === kind);

  test('the manifests agree with each other: selectors, volumes, claims and ports', () => {
    expect(documents.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'PersistentVolumeClaim', 'Service']);
    for (const { metadata } of documents) expect(metadata).toMatchObject({ namespace: 'dexops' });
    const [{ spec }] = named('Deployment');
    const pod = spec.template;
    expect(pod.metadata.labels).toMatchObject(spec.selector.matchLabels);
    expect(pod.metadata.labels).toMatchObject(named('Service')[0].spec.selector);
    const [container] = pod.spec.containers;
    const volumes = pod.spec.volumes.map(({ name }: { name: string }) => name);
    expect(container.volumeMounts.map(({ name }: { name: string }) => name).sort()).toEqual(volumes.sort());
    expect(
      pod.spec.volumes.flatMap(
        (volume: { persistentVolumeClaim?: { claimName: string } }) => volume.persistentVolumeClaim?.claimName ?? [],
      ),
    ).toEqual(named('PersistentVolumeClaim').map(({ metadata }) => metadata.name));
    expect(container.ports[0].name).toBe(named('Service')[0].spec.ports[0].targetPort);
  });

  test('the pod has no rights that it does not need, the image of this version, and settings that are valid', () => {
    const [{ spec }] = named('Deployment');
    const [container] = spec.template.spec.containers;
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(spec.template.spec).toMatchObject({ automountServiceAccountToken: false });
    expect(container.image).toBe(`dexops:${JSON.parse(read('package.json')).version}`);
    const env = Object.fromEntries(
      container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
    );
    expect(Object.keys(env).filter((variable) => !VARIABLES.includes(variable))).toEqual([]);
    expect(readConfig({ ...env, API_KEY: 'sixteen-letters-' })).toMatchObject({ HOST: '0.0.0.0', warnings: [] });
  });

  test('the unit starts what npm start starts, and writes where systemd lets it', () => {
    const unit = read('config/deploy/dexops.service');
    const { scripts } = JSON.parse(read('package.json'));
    expect(`node ${unit.match(/^ExecStart=\S+ (.*)$/m)?.[1]}`).toBe(scripts.start);
    expect(unit).toMatch(/^StateDirectory=dexops$/m);
    expect(unit.match(/DATA_DIR=(\S+)/)?.[1]).toBe('/var/lib/dexops');
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');
  test('copies what exists and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const source of copied.filter((source) => !source.includes('*'))) {
      expect(existsSync(join(ROOT, source)), source).toBe(true);
      expect(
        allowed.some((path) => source === path || source.startsWith(`${path}/`)),
        source,
      ).toBe(true);
    }
  });
  test('runs as an ordinary user, with a health check and Ansible', () => {
    expect(lines).toContain('USER node');
    expect(lines.indexOf('USER node')).toBeGreaterThan(lines.findLastIndex((line) => line.startsWith('RUN ')));
    expect(read('Dockerfile')).toMatch(/HEALTHCHECK[\s\S]*\/health/);
    expect(read('Dockerfile')).toMatch(/ansible openssh-client/);
    expect(lines.at(-2)).toBe('CMD ["node", "src/main.ts"]');
  });
});

describe('every query names a metric that the service has', () => {
  const board = JSON.parse(read('config/grafana/dashboards/dexops.json')) as {
    panels: {
      title: string;
      targets: { expr: string }[];
      gridPos: { x: number; y: number; w: number; h: number };
    }[];
  };
  const rules = parse(read('config/prometheus-alerts.yml')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const queries: [string, string][] = [
    ...board.panels.flatMap(({ title, targets }) => targets.map(({ expr }): [string, string] => [title, expr])),
    ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }): [string, string] => [alert, expr])),
  ];
  const known = async () => {
    const { text } = await createMetrics().page();
    return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
  };
  const named = (query: string) =>
    query.replace(/"[^"]*"/g, '').match(/\b(?:dex|orchestrator|process|nodejs)_\w+/g) ?? [];

  test('there are queries', () => expect(queries.length).toBeGreaterThan(20));
  test.each(queries)('%s', async (_title, query) => {
    const metrics = await known();
    const unknown = named(query).filter((name) => {
      const histogram = name.replace(/_(bucket|sum|count)$/, '');
      return !metrics.has(name) && metrics.get(histogram) !== 'histogram';
    });
    expect(unknown).toEqual([]);
    expect(named(query).length + (query.startsWith('up{') ? 1 : 0)).toBeGreaterThan(0);
  });
  test('every job that is named is on the schedule', () => {
    const scheduled = schedule(TOOLS, {
      scanIntervalMinutes: 15,
      survey: { cron: '', sharePct: 100 },
      hasAgents: true,
    }).map(({ name }) => name);
    const jobs = queries.flatMap(([, query]) => [...query.matchAll(/\{job="(dex_\w+)"/g)].map(([, job]) => job));
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.filter((job) => !scheduled.includes(job!))).toEqual([]);
  });
  test('every alert says what is wrong and what to do', () => {
    for (const { annotations } of rules.groups.flatMap((group) => group.rules)) {
      expect(Object.keys(annotations).sort()).toEqual(['action', 'summary']);
    }
  });
  test('panels do not overlap', () => {
    const grid = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(grid).size).toBe(grid.length);
  });
});

test('Alertmanager posts to the route that takes its deliveries', () => {
  const { route, receivers } = parse(read('config/alertmanager.yml'));
  const target = receivers.find(({ name }: { name: string }) => name === route.receiver).webhook_configs[0];
  expect(new URL(target.url).pathname).toBe('/api/v1/webhooks/alertmanager');
  expect(target.send_resolved).toBe(true);
  expect(target.http_config.authorization).toBeDefined();
});

test('a lean install keeps what this machine loads and nothing of other systems', () => {
  const place = mkdtempSync(join(tmpdir(), 'dexops-lean-'));
  const kept = `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/runtime.node`;
  const others = ['win32/arm64', 'darwin/arm64', 'linux/riscv64'].map(
    (platform) => `node_modules/onnxruntime-node/bin/napi-v6/${platform}/runtime.node`,
  );
  try {
    for (const file of [kept, ...others, 'node_modules/zod/index.js', 'node_modules/node/bin/node']) {
      mkdirSync(join(place, dirname(file)), { recursive: true });
      writeFileSync(join(place, file), 'x'.repeat(1_000_000));
    }
    mkdirSync(join(place, 'src/bin'), { recursive: true });
    cpSync(join(ROOT, 'src/bin/lean.js'), join(place, 'src/bin/lean.js'));
    const said = execFileSync(process.execPath, [join(place, 'src/bin/lean.js')], { encoding: 'utf8' });
    const left = [kept, ...others, 'node_modules/zod/index.js'].filter((file) => existsSync(join(place, file)));
    expect(left.sort()).toEqual([kept, 'node_modules/zod/index.js'].sort());
    expect(said).toMatch(/^node_modules: \d+ MB, was 6 MB\n$/);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});
