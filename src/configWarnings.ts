/** What is probably not meant as it is set. */
import { typingDistance } from './core/commands/didYouMean.ts';

/** Read by other parts of the installation: the push agent, and Compose for the programs beside the service. */
const NAMES_OF_OTHERS = ['DEX_AGENT_TOKEN', 'POSTGRES_PASSWORD', 'GRAFANA_PASSWORD'];

/** Short names are near to everything (HOST to HOME). */
const LEAST_NAME_LENGTH = 6;

/** Names that nobody reads and that are one slip from one of ours, or begin as only ours do. */
export function misspelled(env: Record<string, string | undefined>, settings: readonly string[]): string[] {
  const known = [...settings, ...NAMES_OF_OTHERS];
  const bare = (name: string) => name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  return Object.keys(env)
    .filter((name) => !known.includes(name) && name.length >= LEAST_NAME_LENGTH)
    .flatMap((name) => {
      const near = known.find((ours) => {
        if (ours.length < LEAST_NAME_LENGTH) return false;
        return bare(ours) === bare(name) || typingDistance(ours, name.toUpperCase()) <= (ours.length >= 12 ? 2 : 1);
      });
      if (near) return [`${name} is set, and nothing reads it: did you mean ${near}?`];
      return /^(DEX|DEXOPS)_/.test(name) ? [`${name} is set, and nothing reads it.`] : [];
    });
}

/** What it means that nobody has to show a key. */
export function openWarnings(host: string | undefined, openOnPurpose: boolean): string[] {
  if (openOnPurpose) return ['No API key is required: everybody who reaches this service is an administrator.'];
  const means = 'API_KEY is not set: every program on this machine is an administrator';
  return host === undefined || isLoopback(host)
    ? [`${means}, and no other machine gets in. Set API_KEY to open the service to others.`]
    : [
        `${means}, so the service listens on 127.0.0.1 instead of HOST=${host}: no other machine, and nothing outside this container, reaches it. Set API_KEY.`,
      ];
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host.startsWith('127.');
