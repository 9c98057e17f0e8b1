/** How systems that know machines already are read. */
import type { Persona } from '../../domain/fleet/endpoint.ts';
import type { OsPlatform } from '../../domain/signals/declaration.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';

/** A system of `config/sources.yaml`; secrets are named by their environment variables. */
export interface SourceConfig {
  name: string;
  type: 'prometheus';
  url: string;
  auth?: { bearer: string } | { username: string; password: string } | undefined;
  tls?: { ca_file?: string | undefined; server_name?: string | undefined; insecure: boolean } | undefined;
  /** Matchers without braces; empty for all targets. */
  selector: string;
  /** Labels by what they say of a machine, best first. */
  labels: { hostname: string[]; owner: string[]; persona: string[]; tags: string[] };
  /** Of machines whose labels say none. */
  persona: Persona;
  timeout_seconds: number;
  /** Days after which a machine that is not listed any more leaves. */
  leave_after_days: number;
}

/** A machine as a source lists it, with what the source measured on it. */
export interface SourceMachine {
  /** What the source calls it. */
  target: string;
  /** Canonical. */
  hostname: string;
  ipAddress: string | null;
  ownerEmail: string | null;
  persona: Persona;
  osPlatform: OsPlatform;
  tags: Record<string, string>;
  snapshot: Snapshot;
}

export interface SourceReading {
  machines: SourceMachine[];
  /** Machines that cannot be registered, with the reason. */
  passedOver: { target: string; reason: string }[];
}

export interface SourceReader {
  /**
   * Everything that the source lists now. Fails with kind `unavailable` when it does not answer, or not as it should.
   * @param known hostnames of machines that were listed before, by what the source calls them
   */
  read(
    source: SourceConfig,
    known: ReadonlyMap<string, string>,
    now: Date,
    signal: AbortSignal,
  ): Promise<SourceReading>;
}
