/** What is given of a machine when it is registered or changed: the fields, their limits, and what they mean inside. */
import { z } from 'zod';
import { forbiddenAddressReason, isValidHostname } from '../../domain/fleet/address.ts';
import { type EndpointRegistration, type MergePatch, mergePatch, PERSONAS } from '../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { OS_PLATFORMS } from '../../domain/signals/declaration.ts';
import { CHOSEN_COLLECTORS, type CollectorOptions } from '../../domain/signals/telemetry.ts';
import { AppError } from '../errors.ts';
import { hostnameInput } from '../shapes.ts';

export const newHostname = hostnameInput
  .refine(isValidHostname, 'must be a hostname: letters, digits, hyphens and underscores, in parts joined by dots')
  .describe('The hostname by which everything refers to the endpoint');

const ipAddress = z
  .string()
  .max(200)
  .overwrite(canonicalHost)
  .superRefine((address, context) => {
    if (canonicalIp(address) === null)
      return context.addIssue({ code: 'custom', message: 'must be an IPv4 or IPv6 address' });
    const reason = forbiddenAddressReason(address);
    if (reason) context.addIssue({ code: 'custom', message: `${address} is ${reason}; no endpoint can have it` });
  });

const optionsInput = z.strictObject({
  port: z.coerce.number().int().min(1).max(65_535).optional().describe('Port of the exporter or of sshd'),
  path: z
    .string()
    .max(200)
    .regex(/^\/[\w./-]*$/)
    .optional()
    .describe('Path of the exporter page, /metrics by default'),
  scheme: z.enum(['http', 'https']).optional(),
  services: z
    .array(z.string().regex(/^[A-Za-z0-9@_.:\\-]{1,128}$/, 'must be a service name'))
    .max(50)
    .optional()
    .describe('Services that should run; only these count as down when given'),
  username: z
    .string()
    .regex(/^[a-z_][a-z0-9_.-]{0,31}$/i, 'must be a login name')
    .optional(),
  private_key_file: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be a file name inside SSH_KEYS_DIR')
    .optional(),
  host_key_sha256: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'must look like SHA256:… as ssh-keygen -l prints it')
    .optional(),
  timeout_ms: z.coerce.number().int().min(500).max(60_000).optional(),
  internet_target: z
    .string()
    .max(60)
    .refine(isInternetTarget, 'must be an IP address, or one with a port (192.0.2.1:443, [2001:db8::1]:443)')
    .optional()
    .describe('Where the way to the internet is measured to, from the machine that DexOps runs on'),
  personal: z
    .boolean()
    .optional()
    .describe('false: which programs are used, crash or hang is neither measured nor kept'),
});

/** What a probe can be sent to without a look-up, whose time would count as the line's. */
function isInternetTarget(target: string): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([^:]+)):\d{1,5}$/.exec(target) ?? [];
  return canonicalIp(bracketed ?? plain ?? target) !== null;
}

/** Names that every object has already would be read as those on the way into the database and out of it. */
export const isFreeName = (name: string) => !(name in {});

const tagName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'a tag name has letters, digits, _ . -')
  .refine(isFreeName, 'this tag name is taken');
const tagValue = z.string().max(200);
const MOST_TAGS = 50;
const fewTags = (tags: object) => Object.keys(tags).length <= MOST_TAGS;
const TOO_MANY_TAGS = `at most ${MOST_TAGS} tags`;

export const tagsInput = z.record(tagName, tagValue).refine(fewTags, TOO_MANY_TAGS);

export const tierInput = z.coerce
  .number()
  .int()
  .min(1)
  .max(3)
  .transform((value) => value as 1 | 2 | 3)
  .describe('1 = critical (SLA-bound), 2 = standard, 3 = low priority');

const identity = {
  ip_address: ipAddress.nullish().describe('Where it is reached when its name does not resolve'),
  owner_email: z.email().max(254).nullish().describe('Whose it is; surveys and fixes go there'),
  persona: z.enum(PERSONAS).optional(),
  criticality_tier: tierInput.optional(),
  os_platform: z.enum(OS_PLATFORMS).optional(),
  collector: z
    .enum(CHOSEN_COLLECTORS)
    .optional()
    .describe('How it is scanned: exporters and ssh from here, push by its own agent'),
};

/** What a registration gives. */
export const registrationInput = { ...identity, tags: tagsInput.optional(), options: optionsInput.optional() };

/** What a change gives: tags and options one by one, where null removes one, and null for all of them removes all. */
export const changeInput = {
  ...identity,
  tags: z.record(tagName, tagValue.nullable()).refine(fewTags, TOO_MANY_TAGS).nullish(),
  options: z.strictObject(eachNullable(optionsInput.shape)).nullish(),
};

type Nullable<Shape> = { [Field in keyof Shape]: Shape[Field] extends z.ZodType ? z.ZodNullable<Shape[Field]> : never };

function eachNullable<Shape extends Record<string, z.ZodType>>(shape: Shape): Nullable<Shape> {
  return Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, field.nullable()])) as Nullable<Shape>;
}

type Registration = z.output<z.ZodObject<typeof registrationInput>>;
type Change = z.output<z.ZodObject<typeof changeInput>>;

/** The fields that were given. */
export function registrationOf(input: Registration): Partial<EndpointRegistration> {
  const options = input.options && (collectorOptions(input.options) as CollectorOptions);
  return defined({ ...identityOf(input), tags: input.tags, options });
}

/** The fields that change, whole: what of tags and options is not named stays as it is. @throws AppError `invalid` for too many tags */
export function changeOf(
  endpoint: Pick<EndpointRegistration, 'tags' | 'options'>,
  input: Change,
): Partial<EndpointRegistration> {
  const tags = input.tags && mergePatch(endpoint.tags, input.tags);
  if (tags && !fewTags(tags)) throw new AppError('invalid', `There would be more tags than allowed: ${TOO_MANY_TAGS}.`);
  const options = input.options && mergePatch(endpoint.options, collectorOptions(input.options));
  return defined({
    ...identityOf(input),
    tags: tags === null ? {} : tags,
    options: options === null ? {} : options,
  });
}

function identityOf(input: Omit<Registration, 'tags' | 'options'>): Partial<EndpointRegistration> {
  return {
    ipAddress: input.ip_address,
    ownerEmail: input.owner_email?.toLowerCase() ?? input.owner_email,
    persona: input.persona,
    criticalityTier: input.criticality_tier,
    osPlatform: input.os_platform,
    collector: input.collector,
  } as Partial<EndpointRegistration>;
}

function collectorOptions(options: NonNullable<Change['options']>): MergePatch<CollectorOptions> {
  return defined({
    port: options.port,
    path: options.path,
    scheme: options.scheme,
    services: options.services,
    username: options.username,
    privateKeyFile: options.private_key_file,
    hostKeySha256: options.host_key_sha256,
    timeoutMs: options.timeout_ms,
    internetTarget: options.internet_target,
    personal: options.personal,
  });
}

/** Without the fields that were not given: in stored JSON they would come back as null, which is a value. */
function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
