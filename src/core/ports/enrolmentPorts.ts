/** How enrolments and the agents that came by them are kept. */
import type { CriticalityTier, Persona } from '../../domain/fleet/endpoint.ts';

/** A secret that lets machines join the fleet, and nothing else. */
export interface Enrolment {
  id: number;
  /** What every machine that comes by it is tagged with. */
  tags: Record<string, string>;
  persona: Persona;
  criticalityTier: CriticalityTier;
  /** How a logged-in user becomes an owner, as `{user}@example.com`. */
  ownerRule: string | null;
  expiresAt: Date;
  maxMachines: number;
  /** Machines that joined by it; one that enrols again as itself does not count twice. */
  machines: number;
  createdBy: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface EnrolmentRepository {
  add(enrolment: Omit<Enrolment, 'id' | 'machines' | 'lastUsedAt' | 'revokedAt'>, digest: string): Promise<Enrolment>;
  /** Newest first, revoked and expired ones too. */
  list(): Promise<Enrolment[]>;
  get(id: number): Promise<Enrolment | null>;
  byDigest(digest: string): Promise<Enrolment | null>;
  /** The enrolment as it is now, or null when there is none that is not revoked. */
  revoke(id: number, now: Date): Promise<Enrolment | null>;
  /** Counts one more machine, or one known already; false when the enrolment is revoked, expired or, for a new one, full. */
  use(id: number, isNewMachine: boolean, now: Date): Promise<boolean>;
}

/** The agent of an endpoint, besides its token's digest, which stands at the endpoint. */
interface Agent {
  endpointId: number;
  enrolmentId: number | null;
  /** Valid for some hours more, in case the answer with the new token was lost. */
  previousTokenDigest: string | null;
  tokenIssuedAt: Date;
  version: string | null;
  enrolledAt: Date;
}

/** A version of the agent, as the fleet has fared with it. */
interface AgentRelease {
  version: string;
  offeredAt: Date;
  rolledBack: number;
}

export interface AgentRepository {
  get(endpointId: number): Promise<Agent | null>;
  /** The endpoint whose token this was until it was renewed, at `since` or later. */
  byPreviousToken(digest: string, since: Date): Promise<number | null>;
  /** A version that is offered from now on, unless it is already; answers what is known of it. */
  release(version: string, now: Date): Promise<AgentRelease>;
  /** One agent went back from this version to the one before. */
  noteRollback(version: string): Promise<void>;
  /** Gives the endpoint's agent a new token; with null it has none any more. */
  keep(agent: Agent, tokenDigest: string | null): Promise<void>;
}

interface ReleasedFile {
  file: string;
  /** Hex. */
  sha256: string;
}

/** The agent that this service was deployed with. */
export interface AgentBuild {
  version: string;
  /** By platform, as `linux-x64`. */
  archives: Record<string, ReleasedFile>;
  /** The program alone, for agents that are installed already. */
  update: ReleasedFile;
}

export interface AgentReleases {
  /** Of the key that signs updates, PEM. */
  publicKey(): string;
  /** Ed25519, base64. */
  sign(content: Uint8Array): string;
  /** Null when no agent was built. */
  current(): Promise<AgentBuild | null>;
  /** One of the build's files; null for any other name. */
  open(file: string): Promise<{ bytes: number; stream: NodeJS.ReadableStream } | null>;
}
