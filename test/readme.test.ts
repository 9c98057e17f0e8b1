/** What the documents promise: README's curl lines run as printed, commands and files exist, and the map of the house has every room. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readHouse, roomsOf } from './helpers/house.ts';
import { machines, WELL } from './helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from './helpers/service.ts';

const PAGES = ['src/surfaces/http/README.md', 'README.md'].map((page) => readFileSync(page, 'utf8'));

/** Each curl command of the bash blocks, its continuation lines joined, in the order of the pages; one that both show once. */
const COMMANDS = [...PAGES.join('\n').matchAll(/```bash\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => (block ?? '').split(/\n(?=curl )|\n(?=#)/))
  .filter((part) => part.startsWith('curl '))
  .map((command) => command.trim());

describe('the curl lines', () => {
  let service: TestService;
  const known: Record<string, string> = {};
  beforeAll(async () => {
    // The machines of the examples exist only on paper: a full disk is what a scan finds on the one of the API's page.
    const found = { ...WELL, diskPct: 97 };
    service = await startTestService(
      {},
      {
        collector: machines(
          new Map([
            ['dev-machine-01', found],
            ['alice-laptop', WELL],
          ]),
        ),
      },
    );
  });
  afterAll(() => service.stop());

  test('there are as many as the page needs', () => {
    expect(COMMANDS.length).toBeGreaterThan(15);
  });

  test.each(COMMANDS)('%s', async (command) => {
    const line = command
      .replaceAll('http://localhost:8000', service.url)
      .replaceAll('your-api-key', API_KEY)
      .replace(/\{(\w+)\}/g, (whole, name: string) => known[name] ?? whole);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${line} -sS -w '\\n%{http_code}'`]);
    const [body = '', status] = stdout.split(/\n(?=\d+$)/);
    expect(Number(status), body).toBeGreaterThanOrEqual(200);
    expect(Number(status), body).toBeLessThan(300);
    const answer = JSON.parse(body);
    if (answer.run_id) {
      known.run_id = answer.run_id;
      await service.finished(answer.run_id);
    }
    if (answer.alerts?.[0]) known.alert_id = String(answer.alerts[0].id);
  });
});

const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'mcp/README.md',
  'config/README.md',
  'src/surfaces/http/README.md',
];

test('README is short enough to be read', () => {
  const lines = readFileSync('README.md', 'utf8').split('\n').length;
  expect(lines).toBeGreaterThan(80);
  expect(lines).toBeLessThanOrEqual(200);
});

describe.each(DOCUMENTS)('%s', (document) => {
  const text = readFileSync(document, 'utf8');

  test('every npm script that is named exists', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !scripts[name])).toEqual([]);
  });

  test('every file that is named exists', () => {
    const named = [...text.matchAll(/`((?:config|runbooks|src|mcp|test)\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
    const linked = [...text.matchAll(/\]\((?!http)([\w./-]+)\)/g)].map(([, path]) => path ?? '');
    expect([...named, ...linked].filter((path) => !existsSync(path))).toEqual([]);
  });
});

test('the map in CONTRIBUTING.md has a line for every room and no other', () => {
  const map = readFileSync('CONTRIBUTING.md', 'utf8');
  const described = [...map.matchAll(/^\| `([\w/]+)`/gm)].map(([, path]) => path ?? '');
  const rooms = roomsOf(readHouse(['src', 'mcp'])).map(({ path }) => path);
  expect(rooms.length).toBeGreaterThan(30);
  expect(described.sort()).toEqual(rooms.sort());
});

test('npm says nothing beside what its programs say', async () => {
  const { stdout, stderr } = await promisify(execFile)('npm', ['run', '-s', 'dex', '--', '--version']);
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(/^dex \d/), stderr: '' });
});

test('the changelog begins with the version of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(readFileSync('CHANGELOG.md', 'utf8').match(/^## (.+)$/m)?.[1]).toBe(version);
});
