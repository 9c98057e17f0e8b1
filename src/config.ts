/** Configuration: environment variables in, one frozen object out. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { misspelled, openWarnings } from './configWarnings.ts';
import { STAFF_ROLES } from './core/actor.ts';
import { AGENT_UPDATES } from './core/enrolment/agentUpdates.ts';
import { AppError } from './core/errors.ts';
import { isPostgresUrl, type PostgresTarget } from './core/processes/postgresUrl.ts';
import { queueUrlMistakes, readStoreUrl } from './core/processes/storeUrl.ts';
import { TOOLSETS } from './core/tool.ts';
import { DEFAULT_HOST_LABELS } from './domain/fleet/hostIdentity.ts';
import { PRIVACY_MODES } from './domain/privacy/minimise.ts';
import { isTimeZone } from './domain/time/localTime.ts';
import { PROJECT_DIR } from './projectDir.ts';

const SCAN_INTERVALS = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60];

const text = (fallback = '') => z.string().trim().default(fallback);
const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false', '1', '0', 'yes', 'no'], 'must be true or false')
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true' || value === '1' || value === 'yes');
const whole = (fallback: number, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .default(String(fallback))
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`);
const usd = (fallback: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be an amount in US dollars')
    .default(String(fallback))
    .transform(Number);
const list = () =>
  text().transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );
const url = (...schemes: string[]) =>
  text().refine(
    (value) => value === '' || (URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1))),
    `must be empty or a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  );

/** `name=value` pairs with commas between, values percent-encoded: OpenTelemetry's way to write headers. */
const headers = () =>
  text()
    .refine(
      (value) => value === '' || /^([\w-]+=([^,%]|%[0-7][0-9a-f])*(,(?!$)|$))+$/i.test(value),
      'must be name=value pairs with commas between, values percent-encoded',
    )
    .transform(
      (value): Record<string, string> =>
        Object.fromEntries(
          [...value.matchAll(/([^=,]+)=([^,]*)/g)].map(([, name, encoded]) => [name!, decodeURIComponent(encoded!)]),
        ),
    );

/** Every mistake of a value as one of its own. */
const refusing =
  (mistakesOf: (value: string) => readonly string[]) =>
  (value: string, { addIssue }: z.RefinementCtx): void => {
    for (const message of mistakesOf(value)) addIssue({ code: 'custom', message });
  };

function storeUrlProblems(value: string): readonly string[] {
  const { store, mistakes } = readStoreUrl(value);
  return [...mistakes, ...(store?.kind === 'postgresql' ? unreadableFiles(store.target) : [])];
}

function queueUrlProblems(value: string): readonly string[] {
  return isPostgresUrl(value) ? storeUrlProblems(value) : queueUrlMistakes(value);
}

/** Certificates that the start would stumble over. */
function unreadableFiles({ rootCertFile, certFile, keyFile }: PostgresTarget): string[] {
  const files = { sslrootcert: rootCertFile === 'system' ? null : rootCertFile, sslcert: certFile, sslkey: keyFile };
  return Object.entries(files).flatMap(([key, file]) => {
    if (file === null) return [];
    try {
      return readFileSync(file, 'utf8').includes('-----BEGIN ') ? [] : [`the file of ${key} holds no PEM`];
    } catch {
      return [`the file of ${key} cannot be read`];
    }
  });
}

/** Enough that guessing is hopeless, whatever the key is made of. */
const LEAST_KEY_LENGTH = 16;

/** Every variable the service reads, with its default and what it may hold. `.env.example` describes each. */
const Variables = z.object({
  API_KEY: text().refine(
    (value) => value === '' || value.length >= LEAST_KEY_LENGTH,
    `must have at least ${LEAST_KEY_LENGTH} characters, or others guess it: openssl rand -hex 24 makes one`,
  ),
  REQUIRE_API_KEY: flag(true),
  PORT: whole(8000, 0, 65_535),
  HOST: text('0.0.0.0').refine(
    (value) => isIP(value) !== 0 || /^(?=.*[a-z])[a-z0-9.-]{1,253}$/i.test(value),
    'must be an IP address of this machine, 0.0.0.0 for all of them, or a host name',
  ),
  WORKER_PORT: whole(0, 0, 65_535),
  DATA_DIR: text('data'),
  BACKUP_DIR: text('backups'),
  DATABASE_URL: text().superRefine(refusing((value) => (value === '' ? [] : storeUrlProblems(value)))),
  DATABASE_POOL_SIZE: whole(10, 2, 200),
  RUN_QUEUE_URL: text().superRefine(refusing(queueUrlProblems)),
  CONFIG_DIR: text(join(PROJECT_DIR, 'config')),
  RUNBOOKS_DIR: text(join(PROJECT_DIR, 'runbooks')),
  LOG_FORMAT: z.enum(['json', 'text'], 'must be json or text').default('json'),
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .transform((level) => (level === 'warning' ? 'warn' : level === 'critical' ? 'fatal' : level))
    .pipe(
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], 'must be DEBUG, INFO, WARNING, ERROR or CRITICAL'),
    )
    .default('info'),

  LLM_PROVIDER: z
    .enum(['', 'openai', 'anthropic', 'bedrock', 'ollama'], 'must be openai, anthropic, bedrock, ollama or empty')
    .default('openai'),
  LLM_MODEL: text(),
  OPENAI_API_KEY: text(),
  OPENAI_BASE_URL: url('http', 'https'),
  ANTHROPIC_API_KEY: text(),
  ANTHROPIC_BASE_URL: url('http', 'https'),
  AWS_REGION: text(),
  BEDROCK_ENDPOINT_URL: url('http', 'https'),
  OLLAMA_URL: url('http', 'https').default('http://127.0.0.1:11434'),
  LLM_DAILY_BUDGET_USD: usd(10),
  LLM_DAILY_BUDGET_PER_KEY_USD: usd(5),

  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https'),
  OTEL_EXPORTER_OTLP_HEADERS: headers(),
  OTEL_SERVICE_NAME: text('dexops'),

  METRICS_TOKEN: text(),
  WEBHOOK_SECRET: text(),
  WEBHOOK_REQUIRE_AUTH: flag(true),
  DEX_HOST_LABELS: list().transform((labels) => (labels.length > 0 ? labels : [...DEFAULT_HOST_LABELS])),

  DEX_SCAN_INTERVAL_MINUTES: z
    .string()
    .default('15')
    .transform(Number)
    .refine((value) => SCAN_INTERVALS.includes(value), `must divide 60 evenly: ${SCAN_INTERVALS.join(', ')}`),
  DEX_SCAN_CONCURRENCY: whole(64, 1, 1000),
  DEX_SCAN_MODE: z.enum(['direct', 'agent'], 'must be direct or agent').default('direct'),
  DEX_SCORE_ALERT_THRESHOLD: whole(60, 1, 100),
  DEX_SCORE_CRITICAL_THRESHOLD: whole(40, 0, 100),
  DEX_SELF_HEALING_ENABLED: flag(false),
  DEX_HEALING_ALWAYS_ASKS: flag(false),
  DEX_OWNER_REMEDIES: flag(true),
  DEX_TICKET_WEBHOOK_URL: url('http', 'https'),
  PUBLIC_URL: url('http', 'https').transform((value) => value.replace(/\/+$/, '')),
  DEX_REGISTER_SELF: flag(true),
  DEX_AGENT_DIR: text(join(PROJECT_DIR, 'dist/agent')),
  DEX_AGENT_UPDATES: z.enum(AGENT_UPDATES, `must be ${AGENT_UPDATES.join(', ')}`).default('staged'),
  // Forecasts look back eight days.
  DEX_RETENTION_DAYS: whole(30, 8, 365),
  DEX_SURVEY_CRON: text().refine(
    (value) => value === '' || /^([\w*,/-]+\s+){4}[\w*,/-]+$/.test(value),
    'must be empty or a cron expression of five fields, as 0 8 * * 1',
  ),
  DEX_SURVEY_SHARE_PCT: whole(100, 1, 100),
  DEX_PRIVACY: z.enum(PRIVACY_MODES, `must be ${PRIVACY_MODES.join(' or ')}`).default('named'),
  DEX_REVEAL_SECOND_PERSON: flag(false),
  SSH_KEYS_DIR: text(),
  EMBEDDING_MODEL: text(),

  SLACK_BOT_TOKEN: text(),
  SLACK_SIGNING_SECRET: text(),
  SLACK_APP_TOKEN: text(),
  SLACK_ALERT_CHANNEL: text(),
  SLACK_WORKSPACES: list(),
  PAGERDUTY_ROUTING_KEY: text(),
  PAGERDUTY_EVENTS_URL: url('http', 'https'),
  PAGERDUTY_SEVERITIES: list(),
  ALERT_WEBHOOK_URL: url('http', 'https'),
  ALERT_WEBHOOK_SECRET: text(),
  SLACK_VIEWERS: list(),
  SLACK_OPERATORS: list(),
  SLACK_APPROVERS: list(),
  SLACK_API_URL: url('http', 'https'),
  MCP_ALLOWED_ORIGINS: list().refine(
    (origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
    'must be origins with commas between, as https://inspector.example.com; * would let every page in',
  ),
  OIDC_ISSUER: url('http', 'https').refine(
    (value) => !/^http:(?!\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])([:/]|$))|[?#]/i.test(value),
    'must begin with https:// (http:// is for this machine alone) and hold no ? and #',
  ),
  OIDC_AUDIENCE: text(),
  OIDC_GROUPS_CLAIM: text('groups'),
  OIDC_CLIENT_ID: text(),
  OIDC_CLIENT_SECRET: text(),
  OIDC_SCOPES: list().refine(
    (scopes) => scopes.length === 0 || scopes.includes('openid'),
    'must be scopes with commas between, openid among them',
  ),
  MCP_STDIO_ROLE: z.enum(STAFF_ROLES, `must be ${STAFF_ROLES.join(', ')}`).default('operator'),
  DEX_MCP_TOOLSETS: list().pipe(z.array(z.enum(['all', ...TOOLSETS], `must be all, or of ${TOOLSETS.join(', ')}`))),
  DEX_TIME_ZONE: text('UTC').refine(isTimeZone, 'must be a time zone as Europe/Berlin or UTC'),
  API_RATE_LIMIT_PER_MINUTE: whole(12_000, 0, 10_000_000),
});

type Read = z.output<typeof Variables>;

export interface Config
  extends Readonly<Omit<Read, 'DATA_DIR' | 'BACKUP_DIR' | 'DATABASE_URL' | 'HOST' | 'SSH_KEYS_DIR'>> {
  readonly DATA_DIR: string;
  readonly BACKUP_DIR: string;
  readonly DATABASE_URL: string;
  /** Where to listen: loopback only while no key protects the service. */
  readonly HOST: string;
  readonly SSH_KEYS_DIR: string;
  /** False means that every caller is an administrator. */
  readonly authRequired: boolean;
  /** What is probably not meant as it is set; said at the start. */
  readonly warnings: readonly string[];
  readonly version: string;
}

/** What only says how a program talks about its work. */
const OF_ITS_OWN = new Set(['LOG_LEVEL', 'LOG_FORMAT', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_HEADERS']);

/**
 * The settings that an environment sets otherwise than a program runs with. What it does not set, it does not contradict.
 * An environment with mistakes differs in all that it sets.
 */
export function settingsThatDiffer(config: Config, env: Record<string, string>): string[] {
  const set = Object.keys(Variables.shape).filter((name) => !OF_ITS_OWN.has(name) && (env[name] ?? '').trim() !== '');
  try {
    const theirs = readConfig(env);
    return set.filter((name) => !isDeepStrictEqual(theirs[name as keyof Config], config[name as keyof Config]));
  } catch {
    return set;
  }
}

/** An empty value here turns off what the default turns on. */
const SAYS_NONE = new Set(['LLM_PROVIDER']);

/** What a variable holds is never printed for these. */
const SECRET = /KEY|TOKEN|SECRET|PASSWORD|HEADERS|_URL$/;

/**
 * Reads the variables. Empty strings count as not set, but for those where empty is a choice.
 * @throws AppError `invalid` that names every bad variable at once, with its value and what is allowed
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== undefined && (value.trim() !== '' || SAYS_NONE.has(name))),
  );
  const parsed = Variables.safeParse(given);
  const problems = parsed.success
    ? crossProblems(parsed.data)
    : parsed.error.issues.map(({ path, message }) => problem(String(path[0]), given[String(path[0])], message));
  if (!parsed.success || problems.length > 0) {
    throw new AppError(
      'invalid',
      `The configuration has ${problems.length} mistake${problems.length === 1 ? '' : 's'}:\n${problems.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  const read = parsed.data;
  const dataDir = resolve(read.DATA_DIR);
  const keyless = read.API_KEY === '';
  const openOnPurpose = given.REQUIRE_API_KEY !== undefined && !read.REQUIRE_API_KEY;
  return Object.freeze({
    ...read,
    DATA_DIR: dataDir,
    BACKUP_DIR: resolve(read.BACKUP_DIR),
    DATABASE_URL: read.DATABASE_URL || `sqlite:///${join(dataDir, 'orchestrator.db')}`,
    SSH_KEYS_DIR: resolve(read.SSH_KEYS_DIR || join(dataDir, 'ssh')),
    HOST: keyless && !openOnPurpose ? '127.0.0.1' : read.HOST,
    authRequired: !keyless && read.REQUIRE_API_KEY,
    warnings: [
      ...misspelled(env, Object.keys(Variables.shape)),
      ...(keyless ? openWarnings(given.HOST, openOnPurpose) : []),
    ],
    version: version(),
  });
}

function crossProblems(read: Read): string[] {
  const problems: string[] = [];
  if (read.DEX_SCORE_CRITICAL_THRESHOLD >= read.DEX_SCORE_ALERT_THRESHOLD) {
    problems.push(
      problem(
        'DEX_SCORE_CRITICAL_THRESHOLD',
        String(read.DEX_SCORE_CRITICAL_THRESHOLD),
        `must be below DEX_SCORE_ALERT_THRESHOLD (${read.DEX_SCORE_ALERT_THRESHOLD})`,
      ),
    );
  }
  if (read.SLACK_BOT_TOKEN && !read.SLACK_APP_TOKEN && !read.SLACK_SIGNING_SECRET) {
    problems.push(
      'SLACK_BOT_TOKEN is set, but neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is',
    );
  }
  if (read.OIDC_ISSUER !== '' && read.API_KEY === '')
    problems.push('OIDC_ISSUER is set, but API_KEY is not: whoever shows no token would be an administrator');
  if (read.OIDC_ISSUER !== '' && read.OIDC_AUDIENCE === '' && read.PUBLIC_URL === '')
    problems.push(
      'OIDC_ISSUER is set, but neither OIDC_AUDIENCE nor PUBLIC_URL is, so no token can be for this service',
    );
  if (read.OIDC_CLIENT_ID !== '' && read.OIDC_ISSUER === '')
    problems.push('OIDC_CLIENT_ID is set, but OIDC_ISSUER is not: nobody can say who signs in');
  if (read.OIDC_CLIENT_ID !== '' && read.PUBLIC_URL === '')
    problems.push('OIDC_CLIENT_ID is set, but PUBLIC_URL is not, so the provider cannot send anybody back');
  return problems;
}

function problem(name: string, value: string | undefined, message: string): string {
  const shown = value === undefined ? '(not set)' : SECRET.test(name) ? '(hidden)' : JSON.stringify(value);
  return `${name}=${shown}: ${message}`;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
