/** What is read of a Linux machine once an hour or once a day: it changes slowly, and asking takes time. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { faultItems, healthItems } from '../machine/items.ts';
import { countFaults } from '../machine/programFaults.ts';
import { readSmart } from '../machine/smart.ts';
import type { Collected } from '../readings.ts';
import { DAILY_S, HOURLY_S, type Probe } from '../sources/probe.ts';
import type { Source, Texts } from '../sources/source.ts';
import { parseChronyTracking, parseNtpqOffset, parseTimesyncStatus } from './clockOffset.ts';
import { parseCoredumps } from './coredumps.ts';
import {
  parseLastRestarts,
  parsePstore,
  parseSystemdAnalyze,
  readPendingReboot,
  unexpectedRestarts,
} from './startup.ts';
import {
  type PendingUpdates,
  parseAptCheck,
  parseAptHistory,
  parseAptUpgradable,
  parseDnfUpdates,
  parseRpmInstallTimes,
} from './updates.ts';

const DAY_MS = 24 * 3_600_000;

const ANALYZE: Source = { name: 'analyze', command: ['systemd-analyze', 'time', '--no-pager'] };
const COREDUMPS: Source = {
  name: 'coredumps',
  command: ['coredumpctl', 'list', '--json=short', '--since=-25h', '--no-pager'],
};
const LAST: Source = {
  name: 'last',
  command: ['last', '-x', '-n', '40', '--time-format', 'iso', 'reboot', 'shutdown'],
};
const PSTORE: Source = {
  name: 'pstore',
  command: ['find', '/var/lib/systemd/pstore', '-maxdepth', '2', '-name', 'dmesg*'],
};
const REBOOT: Source = {
  name: 'reboot',
  command: ['stat', '-c', '%Y %n', '/run/reboot-required', '/var/lib/apt/lists'],
};
const CHRONY: Source = { name: 'chrony', command: ['chronyc', '-c', '-n', 'tracking'] };
const TIMESYNC: Source = { name: 'timesync', command: ['timedatectl', 'timesync-status', '--no-pager'] };
const NTPQ: Source = { name: 'ntpq', command: ['ntpq', '-c', 'rv 0 stratum,offset'] };

export const linuxHourly: Probe = {
  name: 'hourly',
  everyS: HOURLY_S,
  sources: [ANALYZE, COREDUMPS, LAST, PSTORE, REBOOT, CHRONY, TIMESYNC, NTPQ],
  read(texts, { now }) {
    const since = new Date(now.getTime() - DAY_MS);
    const crashes = crashReading(texts);
    return {
      bootDurationS: bootDuration(texts),
      appCrashes: 'missing' in crashes ? crashes : faultItems(countFaults(crashes.value, since)),
      unexpectedRestarts: restarts(texts, since),
      ...pendingReboot(texts, now),
      clockOffsetS: clockOffset(texts),
    };
  },
};

const crashReading = (texts: Texts) => {
  const dumps = texts.find(COREDUMPS);
  if (!dumps) return missing('the machine keeps no list of crashes: install systemd-coredump');
  return parseCoredumps(dumps.text, dumps.remark);
};

function bootDuration(texts: Texts): Reading<number> {
  const analyze = texts.find(ANALYZE);
  if (!analyze) return missing('the machine has no systemd-analyze, which measures the start');
  return parseSystemdAnalyze(`${analyze.text}\n${analyze.remark}`);
}

function restarts(texts: Texts, since: Date): Reading<number> {
  const last = texts.find(LAST);
  const panics = parsePstore(texts.text(PSTORE));
  if (!last && panics.length === 0) return missing('the machine keeps no list of its starts (wtmp)');
  return measured(unexpectedRestarts(panics, parseLastRestarts(last?.text ?? ''), since).length);
}

function pendingReboot(texts: Texts, now: Date): Pick<Collected, 'rebootPending' | 'rebootPendingDays'> {
  const listing = texts.text(REBOOT);
  const state = readPendingReboot(listing, null, /\/var\/lib\/apt\/lists$/m.test(listing));
  if ('missing' in state) return { rebootPending: state, rebootPendingDays: state };
  const { pending, since } = state.value;
  const days = since === null ? 0 : Math.max(0, (now.getTime() - since.getTime()) / DAY_MS);
  return {
    rebootPending: measured(pending),
    rebootPendingDays: pending && since === null ? missing('the system does not note since when') : measured(days),
  };
}

/** The time service that runs; of several installed ones the first that has reached a server. */
function clockOffset(texts: Texts): Reading<number> {
  const services = [
    [CHRONY, parseChronyTracking],
    [TIMESYNC, parseTimesyncStatus],
    [NTPQ, parseNtpqOffset],
  ] as const;
  let reason = missing('no time service is installed (chrony, systemd-timesyncd, ntp)');
  for (const [source, parse] of services) {
    const found = texts.find(source);
    if (!found) continue;
    const offset = parse(`${found.text}\n${found.remark}`);
    if ('value' in offset) return offset;
    reason = offset;
  }
  return reason;
}

const APT_CHECK: Source = {
  name: 'aptCheck',
  command: ['sh', '-c', 'exec /usr/lib/update-notifier/apt-check 2>&1'],
  timeoutS: 20,
};
const APT_LIST: Source = { name: 'aptList', command: ['apt', 'list', '--upgradable'], timeoutS: 20 };
const APT_HISTORY: Source = { name: 'aptHistory', files: ['/var/log/apt/history.log'] };
const DNF_UPGRADES: Source = { name: 'dnfUpgrades', command: ['dnf', '-q', '-C', 'list', '--upgrades'], timeoutS: 20 };
const DNF_ADVISORIES: Source = {
  name: 'dnfAdvisories',
  command: ['dnf', '-q', '-C', 'updateinfo', 'list', '--security'],
  timeoutS: 20,
};
const RPM_TIMES: Source = { name: 'rpmTimes', command: ['rpm', '-qa', '--qf', '%{INSTALLTIME}\\n'], timeoutS: 20 };
/** Package lists change when updates are looked for; the stamp is Ubuntu's. */
const LOOKED_FOR: Source = {
  name: 'lookedFor',
  command: [
    'stat',
    '-c',
    '%Y %n',
    '/var/lib/apt/periodic/update-success-stamp',
    '/var/lib/apt/lists',
    '/var/cache/dnf',
    '/var/cache/libdnf5',
  ],
};
/** Magnetic disks that sleep are left asleep. */
const SMART: Source = {
  name: 'smart',
  command: [
    'sh',
    '-c',
    'command -v smartctl >/dev/null || exit 3; for disk in $(smartctl --scan | cut -d" " -f1 | head -n 16) $(ls -d /dev/nvme[0-9] 2>/dev/null); do echo "$disk"; done | sort -u | while read -r disk; do smartctl -j -i -H -A -n standby "$disk" </dev/null; done',
  ],
  timeoutS: 20,
};

export const linuxDaily: Probe = {
  name: 'daily',
  everyS: DAILY_S / 4,
  sources: [APT_CHECK, APT_LIST, APT_HISTORY, DNF_UPGRADES, DNF_ADVISORIES, RPM_TIMES, LOOKED_FOR, SMART],
  read(texts, { now }) {
    const updates = pendingUpdates(texts);
    const none = 'missing' in updates ? updates : null;
    return {
      updatesPending: none ?? measured((updates as { value: PendingUpdates }).value.updates),
      securityUpdatesPending: none ?? measured((updates as { value: PendingUpdates }).value.securityUpdates),
      updateAgeDays: updateAge(texts, now),
      ...diskHealth(texts),
    };
  },
};

function pendingUpdates(texts: Texts): Reading<PendingUpdates> {
  const check = parseAptCheck(texts.text(APT_CHECK));
  if ('value' in check) return check;
  const list = texts.find(APT_LIST);
  // On Fedora and its kin `apt` may be installed to build packages; dnf decides there.
  const dnf = texts.find(DNF_UPGRADES);
  if (dnf) return parseDnfUpdates(`${dnf.text}\n${dnf.remark}`, texts.text(DNF_ADVISORIES));
  if (!list) return missing('no package manager that this collector reads (apt, dnf) is installed');
  return list.code === null ? missing('apt did not finish in time') : parseAptUpgradable(list.text);
}

function updateAge(texts: Texts, now: Date): Reading<number> {
  const times = [...texts.text(LOOKED_FOR).matchAll(/^(\d+) \//gm)].map(([, unixS]) => Number(unixS) * 1000);
  for (const installed of [parseAptHistory(texts.text(APT_HISTORY)), parseRpmInstallTimes(texts.text(RPM_TIMES))]) {
    if ('value' in installed) times.push(installed.value.getTime());
  }
  if (times.length === 0) return missing('no package manager notes when it last updated');
  return measured(Math.max(0, (now.getTime() - Math.max(...times)) / DAY_MS));
}

function diskHealth(texts: Texts): Collected {
  const smart = texts.find(SMART);
  if (!smart || smart.code === 3) return healthItems(missing('install smartmontools to read the health of disks'));
  if (smart.code === null) return healthItems(missing('smartctl did not finish in time'));
  if (smart.text.trim() === '')
    return healthItems(missing('smartctl finds no disk that it can ask, as in virtual machines'));
  return healthItems(readSmart(smart.text));
}
