/** All that the demo's story happens in: exporters, a local Slack, a week of history, and the service itself. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { type Service, startService } from '../../src/service.ts';
import { endpointPath, startExporterFleet } from '../helpers/exporterFleet.ts';
import {
  BOT_TOKEN,
  httpTransport,
  SIGNING_SECRET,
  startSlack,
  type TestSlack,
  type Transport,
} from '../helpers/slack.ts';
import { COMPANY, FILLING, loadOf, simulated } from './company.ts';
import { liveThroughAWeek, type Past } from './history.ts';
import { workingMoment } from './workingMoment.ts';
import { createDisk, type Disk, openWorkshop, type Workshop } from './workshop.ts';

export interface World {
  dir: string;
  service: Service;
  slack: TestSlack;
  /** Sends signed requests to the service, as Slack's servers do. */
  send: Transport;
  disk: Disk;
  workshop: Workshop;
  past: Past;
  /** How far the demo's clock is behind, whole days. */
  daysBehind: number;
  timeZone: string;
}

/** What the map says in the demo: as shipped, but for a person's yes and the folder that plays the disk. */
const remediationMap = (folder: string) => `remediation_map:
  DiskFull:
    action: ansible
    playbook: cleanup_disk
    requires_approval: true
    variables: { cleanup_paths: ["${folder}"], temp_keep_days: 0 }
`;

/**
 * @param undo collects what has to be stopped, in the order of its start
 * @param ansible whether the repair may be real
 */
export async function createWorld(undo: AsyncDisposableStack, ansible: boolean): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-demo-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const { timeZone, behindMs } = workingMoment(new Date());
  const clock = { now: () => new Date(Date.now() - behindMs) };
  const present = clock.now();

  const disk = await createDisk(join(dir, FILLING.hostname));
  await disk.fillTo(loadOf(COMPANY.indexOf(FILLING), present, present).diskPct);
  const workshop = await openWorkshop(disk, ansible);
  undo.defer(() => workshop.stop());
  const machine = (index: number) => {
    const load = loadOf(index, clock.now(), present);
    return simulated(index === COMPANY.indexOf(FILLING) ? { ...load, diskPct: disk.usedPct() } : load, present);
  };
  const ports = new Map<string, number>();
  for (const address of new Set(['127.0.0.1', workshop.address])) {
    const fleet = await startExporterFleet(0, machine, address);
    undo.defer(() => fleet.stop());
    ports.set(address, fleet.port);
  }

  const members = COMPANY.filter(({ name }) => name !== 'alice').map(({ name, realName, email }) => ({
    name,
    real_name: realName,
    email,
  }));
  const slack = await startSlack(undefined, members);
  undo.defer(() => slack.close());
  const idOf = new Map(COMPANY.map(({ name, email }) => [email, slack.users[name]]));
  // The local Slack knows no time zones.
  slack.overrides.set('users.lookupByEmail', ({ email }) => {
    const id = idOf.get(email);
    return { json: id ? { ok: true, user: { id, tz: timeZone } } : { ok: false, error: 'users_not_found' } };
  });

  const configDir = join(dir, 'config');
  await cp(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  await writeFile(join(configDir, 'dex_remediation_map.yaml'), remediationMap(disk.folder));
  const config = readConfig({
    DATA_DIR: join(dir, 'data'),
    CONFIG_DIR: configDir,
    SSH_KEYS_DIR: workshop.keysDir,
    PORT: '0',
    LOG_LEVEL: 'ERROR',
    LOG_FORMAT: 'text',
    LLM_PROVIDER: '',
    EMBEDDING_MODEL: 'none',
    DEX_REGISTER_SELF: 'false',
    DEX_SELF_HEALING_ENABLED: 'true',
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: slack.apiUrl,
    SLACK_ALERT_CHANNEL: slack.channels.alerts!,
    SLACK_OPERATORS: slack.users.otto!,
  });
  const registrations = COMPANY.map((employee, index) => {
    const isFilling = employee === FILLING;
    const address = isFilling ? workshop.address : '127.0.0.1';
    return {
      hostname: employee.hostname,
      ip_address: address,
      owner_email: employee.email,
      persona: employee.persona,
      criticality_tier: employee.criticalityTier,
      os_platform: 'linux',
      tags: employee.tags,
      collector: 'node_exporter',
      options: { port: ports.get(address), path: endpointPath(index), ...(isFilling && workshop.options) },
    };
  });
  const past = await liveThroughAWeek(config, registrations, present);
  const service = await startService(config, { clock, ...(workshop.runner && { runner: workshop.runner }) });
  undo.defer(() => service.stop());
  return {
    dir,
    service,
    slack,
    send: httpTransport(service.url),
    disk,
    workshop,
    past,
    daysBehind: behindMs / 86_400_000,
    timeZone,
  };
}
