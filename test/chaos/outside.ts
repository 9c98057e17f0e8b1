/** The outside world of a storm, all of it on this machine: Slack, a ticket system, a model, machines, and Ansible's programs. */

import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { exporterPage } from '../helpers/exporterPage.ts';
import { answer, startModel } from '../helpers/model.ts';
import { BOT_TOKEN, SIGNING_SECRET, startSlack, type TestSlack } from '../helpers/slack.ts';
import { startTicketSystem, type TicketSystemDouble } from '../helpers/ticketSystem.ts';
import { type Flaky, startFlaky } from './flaky.ts';

export const MACHINES = Array.from({ length: 12 }, (_, index) => `pc-${index}`);
export const WEBHOOK_SECRET = 'a-webhook-secret';

/** One start of a playbook, as the program itself wrote it down. */
export interface Play {
  /** Its report says it too. */
  id: string;
  hostname: string;
  playbook: string;
}

export interface Outside {
  /** What a process of ours needs in its environment to meet this world. */
  env: Record<string, string>;
  slack: TestSlack;
  tickets: TicketSystemDouble;
  flaky: Record<'slack' | 'tickets' | 'model', Flaky>;
  /** Registration of a machine. */
  registration(hostname: string): Record<string, unknown>;
  fillDisk(hostname: string): void;
  freeDisk(hostname: string): void;
  /** While true, machines do not answer. */
  machinesSilent: boolean;
  plays(): Play[];
  stop(): Promise<void>;
}

const HOST_KEY = Buffer.from('a host key of the storm').toString('base64');
const HOST_KEY_SHA256 = createHash('sha256').update(Buffer.from(HOST_KEY, 'base64')).digest('base64');

const MAP = `
remediation_map:
  DiskFull: { action: ansible, playbook: cleanup_disk, requires_approval: true, cooldown: 0m, max_per_day: 100 }
  Stuck: { action: clear_cache, requires_approval: false, cooldown: 0m, max_per_day: 100 }
limits: { per_host_per_day: 1000, fleet: { remediations: 10000, failures: 10000, window: 1h } }
`;

export async function startOutside(dir: string): Promise<Outside> {
  const slack = await startSlack();
  const tickets = await startTicketSystem();
  const model = await startModel();
  // Whatever is asked, the model says the same; where a profile wants another shape, the run ends as failed, which is an end.
  model.says('', { text: answer('Nothing more to do.') });
  const flaky = {
    slack: await startFlaky(slack.apiUrl),
    tickets: await startFlaky(tickets.url),
    model: await startFlaky(String(model.env.OPENAI_BASE_URL)),
  };

  const full = new Set<string>();
  const healedDir = join(dir, 'healed');
  mkdirSync(healedDir);
  const exporter = createServer((request, response) => {
    if (outside.machinesSilent) return;
    const hostname = /^\/(pc-\d+)\//.exec(request.url ?? '')?.[1] ?? '';
    if (existsSync(join(healedDir, hostname))) {
      rmSync(join(healedDir, hostname));
      full.delete(hostname);
    }
    const diskUsedPct = full.has(hostname) ? 97 : 50;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(
      exporterPage(
        { cores: 4, cpuBusyPct: 10, memoryUsedPct: 40, diskUsedPct, bootedAt: new Date(1.77e12) },
        new Date(),
      ),
    );
  });
  await new Promise<void>((listening) => exporter.listen(0, '127.0.0.1', listening));
  const address = exporter.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  const journal = join(dir, 'plays');
  writeFileSync(journal, '');
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  program(join(bin, 'ssh-keyscan'), `echo "127.0.0.1 ssh-ed25519 ${HOST_KEY}"`);
  // Writes down that it began, takes its time, and heals. It is not stopped by the death of whoever started it.
  program(
    join(bin, 'ansible-playbook'),
    `for last; do :; done
# Every machine is called the same in a run; its user says which one it is.
host=$(sed -n 's/.*"ansible_user":"\\([^"]*\\)".*/\\1/p' "$2")
play=$$-$(date +%s%N)
echo "$play $host $(basename "$last" .yml)" >> ${journal}
sleep 1
: > ${healedDir}/$host
printf '{"plays":[{"tasks":[{"task":{"name":"heal"},"hosts":{"%s":{"changed":true}}}]}],"custom_stats":{"%s":{"play":"%s"}}}' "$4" "$4" "$play"`,
  );
  const keys = join(dir, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'key'), 'a key');
  const config = join(dir, 'config');
  cpSync(join(PROJECT_DIR, 'config'), config, { recursive: true });
  writeFileSync(join(config, 'dex_remediation_map.yaml'), MAP);

  const outside: Outside = {
    env: {
      ...model.env,
      OPENAI_BASE_URL: flaky.model.url,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      CONFIG_DIR: config,
      SSH_KEYS_DIR: keys,
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: flaky.slack.url,
      SLACK_ALERT_CHANNEL: slack.channels.alerts ?? '',
      DEX_TICKET_WEBHOOK_URL: flaky.tickets.url,
      WEBHOOK_SECRET,
      DEX_SELF_HEALING_ENABLED: 'true',
      LLM_DAILY_BUDGET_USD: '1000',
      LLM_DAILY_BUDGET_PER_KEY_USD: '1000',
    },
    slack,
    tickets,
    flaky,
    registration: (hostname) => ({
      hostname,
      ip_address: '127.0.0.1',
      collector: 'node_exporter',
      options: {
        port,
        path: `/${hostname}/metrics`,
        username: hostname,
        private_key_file: 'key',
        host_key_sha256: `SHA256:${HOST_KEY_SHA256}`,
        timeout_ms: 3000,
      },
    }),
    fillDisk: (hostname) => void full.add(hostname),
    freeDisk: (hostname) => void full.delete(hostname),
    machinesSilent: false,
    plays: () =>
      readFileSync(journal, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [id = '', hostname = '', playbook = ''] = line.split(' ');
          return { id, hostname, playbook };
        }),
    async stop() {
      for (const one of Object.values(flaky)) await one.stop();
      exporter.closeAllConnections();
      await new Promise((closed) => exporter.close(closed));
      await model.stop();
      await tickets.stop();
      await slack.close();
    },
  };
  return outside;
}

function program(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}
