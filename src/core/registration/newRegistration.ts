/** A whole registration from what was given, and whether it can work at all. */
import { z } from 'zod';
import type { EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import { AppError } from '../errors.ts';
import { newHostname, registrationInput, registrationOf } from './registrationInput.ts';

export const registrationSchema = z.strictObject({ hostname: newHostname, ...registrationInput });
export type GivenRegistration = z.output<typeof registrationSchema>;

/** What was given, and the usual for the rest. @throws AppError `invalid` as {@link checkRegistration} */
export function newRegistration(input: GivenRegistration): EndpointRegistration {
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

/**
 * Leaves a machine that a source manages with its source, whatever else is changed.
 * @throws AppError `refused` when the change would scan it in another way
 */
export function keepSource(
  { hostname, collector, options }: EndpointRegistration,
  patch: Partial<EndpointRegistration>,
): void {
  const { source, sourceTarget, goneSince } = options;
  if (source === undefined) return;
  if (patch.collector && patch.collector !== collector)
    throw new AppError(
      'refused',
      `${hostname} is managed by the source ${source}; deregister it to register it in another way.`,
    );
  if (patch.options)
    patch.options = {
      ...patch.options,
      source,
      ...(sourceTarget !== undefined && { sourceTarget }),
      ...(goneSince !== undefined && { goneSince }),
    };
}
