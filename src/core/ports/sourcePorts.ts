/** How systems that know machines already are read. */
import type { Persona } from '../../domain/fleet/endpoint.ts';
import type { OsPlatform } from '../../domain/signals/declaration.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';

/** What each system of `config/sources.yaml` has; secrets are named by their environment variables. */
interface AnySourceConfig {
  name: string;
  url: string;
  auth?: { bearer: string } | { username: string; password: string } | undefined;
  tls?: { ca_file?: string | undefined; server_name?: string | undefined; insecure: boolean } | undefined;
  /** Of machines of which the source says none. */
  persona: Persona;
  timeout_seconds: number;
  /** Days after which a machine that is not listed any more leaves. */
  leave_after_days: number;
}

export interface PrometheusSourceConfig extends AnySourceConfig {
  type: 'prometheus';
  /** Matchers without braces; empty for all targets. */
  selector: string;
  /** Labels by what they say of a machine, best first. */
  labels: { hostname: string[]; owner: string[]; persona: string[]; tags: string[] };
}

export interface FleetSourceConfig extends AnySourceConfig {
  type: 'fleet';
  /** Only hosts of this team of Fleet's. */
  team_id?: number | undefined;
}

export type SourceConfig = PrometheusSourceConfig | FleetSourceConfig;

/** A rule that the source checks on each machine. */
export interface SourcePolicy {
  id: number;
  name: string;
  /** `unknown` while the machine has not answered. */
  state: 'passing' | 'failing' | 'unknown';
  isCritical: boolean;
  /** What to do about a failure, as the source's people wrote it; empty without. */
  resolution: string;
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
  /** All that the source checks there; null when it checks nothing, or did not say. */
  policies: SourcePolicy[] | null;
}

export interface SourceReading {
  machines: SourceMachine[];
  /** Machines that cannot be registered, with the reason. */
  passedOver: { target: string; reason: string }[];
}

export interface SourceReader<Config extends SourceConfig = SourceConfig> {
  /**
   * Everything that the source lists now. Fails with kind `unavailable` when it does not answer, or not as it should.
   * @param known hostnames of machines that were listed before, by what the source calls them
   */
  read(source: Config, known: ReadonlyMap<string, string>, now: Date, signal: AbortSignal): Promise<SourceReading>;
  /**
   * Machines that have a vulnerability now, by what the source calls them. Fails as `read` does, and with `unavailable` where the
   * source knows of none.
   */
  affected(source: Config, cve: string, signal: AbortSignal): Promise<ReadonlySet<string>>;
}
