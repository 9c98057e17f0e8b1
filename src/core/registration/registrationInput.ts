/** What may be said of a machine when it is registered or changed: the schema of it, and the registration it makes. */
import { z } from 'zod';
import { forbiddenAddressReason, isValidHostname } from '../../domain/fleet/address.ts';
import { type EndpointRegistration, PERSONAS } from '../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { OS_PLATFORMS } from '../../domain/signals/declaration.ts';
import { COLLECTORS, type CollectorOptions } from '../../domain/signals/telemetry.ts';
import { AppError } from '../errors.ts';
import { hostnameInput } from '../shapes.ts';

const newHostname = hostnameInput
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
});

/** Names that every object has already would be read as those on the way into the database and out of it. */
export const isFreeName = (name: string) => !(name in {});

export const tagsInput = z
  .record(
    z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'a tag name has letters, digits, _ . -')
      .refine(isFreeName, 'this tag name is taken'),
    z.string().max(200),
  )
  .refine((tags) => Object.keys(tags).length <= 50, 'at most 50 tags');

export const tierInput = z.coerce
  .number()
  .int()
  .min(1)
  .max(3)
  .transform((value) => value as 1 | 2 | 3)
  .describe('1 = critical (SLA-bound), 2 = standard, 3 = low priority');

export const registrationFields = {
  ip_address: ipAddress.nullish().describe('Where it is reached when its name does not resolve'),
  owner_email: z.email().max(254).nullish().describe('Whose it is; surveys and fixes go there'),
  persona: z.enum(PERSONAS).optional(),
  criticality_tier: tierInput.optional(),
  os_platform: z.enum(OS_PLATFORMS).optional(),
  tags: tagsInput.optional(),
  collector: z
    .enum(COLLECTORS)
    .optional()
    .describe('How it is scanned: exporters and ssh from here, push by its own agent'),
  options: optionsInput.optional(),
};

export const registrationInput = z.strictObject({ hostname: newHostname, ...registrationFields });

export type RegistrationFields = z.output<z.ZodObject<typeof registrationFields>>;

/** A whole registration: what was given, and the usual for the rest. @throws AppError `invalid` as {@link checkRegistration} */
export function newRegistration(input: RegistrationFields & { hostname: string }): EndpointRegistration {
  const given = registrationOf(input);
  const registration: EndpointRegistration = {
    hostname: input.hostname,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    criticalityTier: 2,
    osPlatform: given.collector === 'windows_exporter' ? 'windows' : 'linux',
    tags: {},
    collector: given.osPlatform === 'windows' ? 'windows_exporter' : 'node_exporter',
    options: {},
    ...given,
  };
  checkRegistration(registration);
  return registration;
}

/** @throws AppError `invalid` for a registration that no scan could ever succeed with */
export function checkRegistration({ hostname, collector, options }: Omit<EndpointRegistration, 'ipAddress'>): void {
  if (collector !== 'ssh' || options.username !== undefined) return;
  const problem = 'collector ssh needs the name to log in with: give username';
  throw new AppError('invalid', `${hostname}: ${problem}.`, { fields: [{ field: 'options.username', problem }] });
}

/** What was given, in the words of the registry; fields left out are absent. */
export function registrationOf(input: RegistrationFields): Partial<EndpointRegistration> {
  const given = {
    ipAddress: input.ip_address,
    ownerEmail: input.owner_email?.toLowerCase() ?? input.owner_email,
    persona: input.persona,
    criticalityTier: input.criticality_tier,
    osPlatform: input.os_platform,
    tags: input.tags,
    collector: input.collector,
    options: input.options && collectorOptions(input.options),
  };
  return defined(given);
}

function collectorOptions(options: z.output<typeof optionsInput>): CollectorOptions {
  return defined({
    port: options.port,
    path: options.path,
    scheme: options.scheme,
    services: options.services,
    username: options.username,
    privateKeyFile: options.private_key_file,
    hostKeySha256: options.host_key_sha256,
    timeoutMs: options.timeout_ms,
  });
}

/** Without the fields that were not given: in stored JSON they would come back as null, which is a value. */
function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
