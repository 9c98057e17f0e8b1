import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';

describe('defaults', () => {
  test('are those of the operations guide', () => {
    expect(readConfig({})).toMatchObject({
      API_KEY: '',
      REQUIRE_API_KEY: true,
      LLM_PROVIDER: 'openai',
      RUN_QUEUE_URL: '',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'info',
      PORT: 8000,
      METRICS_TOKEN: '',
      WEBHOOK_SECRET: '',
      WEBHOOK_REQUIRE_AUTH: true,
      DEX_SCAN_INTERVAL_MINUTES: 15,
      DEX_SCORE_ALERT_THRESHOLD: 60,
      DEX_SCORE_CRITICAL_THRESHOLD: 40,
      DEX_SELF_HEALING_ENABLED: false,
      DEX_TICKET_WEBHOOK_URL: '',
    });
  });

  test('the database lies in the data directory', () => {
    expect(readConfig({ DATA_DIR: '/srv/dex' }).DATABASE_URL).toBe('sqlite:////srv/dex/orchestrator.db');
  });
});

describe('without an API key', () => {
  test('the service listens to this machine alone, whatever HOST says', () => {
    expect(readConfig({ HOST: '0.0.0.0' })).toMatchObject({ HOST: '127.0.0.1', authRequired: false });
  });
  test('unless that is asked for by name', () => {
    expect(readConfig({ HOST: '0.0.0.0', REQUIRE_API_KEY: 'false' })).toMatchObject({
      HOST: '0.0.0.0',
      authRequired: false,
    });
  });
  test('with one, HOST is taken and the key required', () => {
    expect(readConfig({ API_KEY: 'sixteen-letters-', HOST: '0.0.0.0' })).toMatchObject({
      HOST: '0.0.0.0',
      authRequired: true,
    });
  });
});

describe('what is probably not meant', () => {
  test.each([
    [{ API_KEY: 'short' }, 'API_KEY=(hidden): must have at least 16 characters'],
    [{ MCP_ALLOWED_ORIGINS: '*' }, 'MCP_ALLOWED_ORIGINS="*": must be origins'],
    [{ MCP_ALLOWED_ORIGINS: 'https://a.example.com/path' }, 'MCP_ALLOWED_ORIGINS="https://a.example.com/path"'],
    [{ HOST: '999.1.1.1' }, 'HOST="999.1.1.1": must be an IP address'],
  ])('%o is refused', (env, message) => {
    expect(() => readConfig(env)).toThrow(message);
  });

  test.each([
    ['API_KEYY', 'API_KEY'],
    ['APIKEY', 'API_KEY'],
    ['api_key', 'API_KEY'],
    ['DEX_SELFHEALING_ENABLED', 'DEX_SELF_HEALING_ENABLED'],
    ['SLACK_BOT_TOKN', 'SLACK_BOT_TOKEN'],
    ['DATABSE_URL', 'DATABASE_URL'],
  ])('%s is warned of', (name, meant) => {
    expect(readConfig({ [name]: 'x', API_KEY: 'sixteen-letters-' }).warnings).toEqual([
      `${name} is set, and nothing reads it: did you mean ${meant}?`,
    ]);
  });

  test('nothing of an ordinary environment is', () => {
    const names = [
      'HOME',
      'HOSTNAME',
      'HOSTTYPE',
      'PATH',
      'LOGNAME',
      'LANG',
      'USER',
      'PWD',
      'TERM',
      'EDITOR',
      'AWS_PROFILE',
      'JIRA_API_KEY',
      'GRAFANA_PASSWORD',
      'DEX_AGENT_TOKEN',
      'NODE_ENV',
      'XDG_DATA_DIRS',
      'SSH_AUTH_SOCK',
    ];
    const env = Object.fromEntries(names.map((name) => [name, 'x']));
    expect(readConfig({ ...env, API_KEY: 'sixteen-letters-' }).warnings).toEqual([]);
  });

  test('a missing key is said, and why HOST is not taken', () => {
    expect(readConfig({}).warnings).toEqual([
      expect.stringMatching(/every program on this machine is an administrator/),
    ]);
    expect(readConfig({ HOST: '0.0.0.0' }).warnings).toEqual([
      expect.stringMatching(/listens on 127\.0\.0\.1 instead of HOST=0\.0\.0\.0.*Set API_KEY/),
    ]);
    expect(readConfig({ REQUIRE_API_KEY: 'false' }).warnings).toEqual([
      expect.stringMatching(/everybody who reaches this service is an administrator/),
    ]);
  });
});

test('every mistake is reported at once, with its variable, its value and what is allowed', () => {
  const read = () =>
    readConfig({ PORT: '99999', DEX_SCAN_INTERVAL_MINUTES: '7', LOG_FORMAT: 'xml', RUN_QUEUE_URL: 'ftp://user:pw@x' });
  expect(read).toThrow(/4 mistakes/);
  expect(read).toThrow('PORT="99999": must be a whole number from 0 to 65535');
  expect(read).toThrow('DEX_SCAN_INTERVAL_MINUTES="7": must divide 60 evenly: 1, 2, 3');
  expect(read).toThrow('LOG_FORMAT="xml": must be json or text');
  expect(read).toThrow('RUN_QUEUE_URL=(hidden)');
  expect(read).not.toThrow('pw');
});

test('database and queue are checked with the rest: each mistake by name, a missing certificate too, and no secret', () => {
  const read = () =>
    readConfig({
      PORT: 'x',
      DATABASE_URL: 'postgresql://dex:s3cret@h/d?sslmode=allow&sslmodus=1&connect_timeout=x',
      RUN_QUEUE_URL: 'postgresql://dex:s3cret@h/d?sslmode=verify-full&sslrootcert=/nowhere/root.crt',
    });
  expect(read).toThrow(/5 mistakes/);
  expect(read).toThrow('DATABASE_URL=(hidden): sslmode must be one of');
  expect(read).toThrow('DATABASE_URL=(hidden): sslmodus is not a key that is understood');
  expect(read).toThrow('DATABASE_URL=(hidden): connect_timeout must be');
  expect(read).toThrow('RUN_QUEUE_URL=(hidden): the file of sslrootcert cannot be read');
  expect(read).not.toThrow('s3cret');
  expect(() => readConfig({ DATABASE_URL: 'postgresql://dex:p@ss@h/d' })).toThrow('1 mistake:');
});

test('headers for the trace collector are read as OpenTelemetry writes them, and bad ones are not shown', () => {
  const read = (value: string) => readConfig({ OTEL_EXPORTER_OTLP_HEADERS: value }).OTEL_EXPORTER_OTLP_HEADERS;
  expect(read('')).toEqual({});
  expect(read('authorization=Basic%20dXNlcg==,x-team=dex')).toEqual({
    authorization: 'Basic dXNlcg==',
    'x-team': 'dex',
  });
  for (const bad of ['secret', 'a=b,', 'a=%zz', '=b']) {
    expect(() => read(bad)).toThrow('OTEL_EXPORTER_OTLP_HEADERS=(hidden): must be name=value pairs');
  }
});

test('lines that contradict each other are named', () => {
  expect(() => readConfig({ DEX_SCORE_CRITICAL_THRESHOLD: '70' })).toThrow(
    'must be below DEX_SCORE_ALERT_THRESHOLD (60)',
  );
});

test('the configuration cannot be changed', () => {
  const config = readConfig({});
  expect(() => Object.assign(config, { PORT: 1 })).toThrow();
});

test('.env.example names every variable that is read, and no other', () => {
  const named = [...readFileSync('.env.example', 'utf8').matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
  const read = Object.keys(readConfig({})).filter((name) => /^[A-Z]/.test(name));
  expect([...named].sort()).toEqual([...read].sort());
});
