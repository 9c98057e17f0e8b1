/** Reads the health and wear of disks from smartctl's JSON, the same on every platform. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

export interface DiskHealth {
  /** `/dev/nvme0`, with the model where it is known. */
  disk: string;
  /** Whether the disk itself says that it is failing, or has begun to lose sectors. */
  failing: Reading<boolean>;
  /** What the disk says of why it is failing; empty when it is not. */
  evidence: string[];
  /** Used share of the rated endurance, 0–100. */
  wearPct: Reading<number>;
}

const MAX_DISKS = 32;

interface SmartReport {
  device?: { name?: string };
  model_name?: string;
  smart_status?: { passed?: boolean };
  nvme_smart_health_information_log?: {
    critical_warning?: number;
    percentage_used?: number;
    available_spare?: number;
    available_spare_threshold?: number;
    media_errors?: number;
  };
  ata_smart_attributes?: { table?: { id?: number; value?: number; raw?: { value?: number } }[] };
  smartctl?: { exit_status?: number; messages?: { string?: string }[]; argv?: string[] };
}

/** ATA attributes that count sectors lost or about to be: 5 reallocated, 197 pending, 198 uncorrectable. */
const LOST_SECTORS: Record<number, string> = {
  5: 'reallocated sectors',
  197: 'sectors waiting to be remapped',
  198: 'unreadable sectors',
};
/** A few reallocated sectors are normal over a disk's life; pending and unreadable ones are lost data. */
const TOLERATED: Record<number, number> = { 5: 50, 197: 0, 198: 0 };
/** Attributes whose normalised value counts down from 100 with the endurance left: Intel, Samsung, Crucial, SanDisk. */
const ENDURANCE_LEFT = [233, 177, 202, 231, 169];

/** @param outputs of `smartctl -j -H -A DEVICE`, one JSON document after the other */
export function readSmart(outputs: string): Reading<DiskHealth[]> {
  const reports = splitDocuments(outputs);
  if (reports.length === 0) return missing('smartctl gives no report');
  const readable = reports.filter(({ smart_status, nvme_smart_health_information_log, ata_smart_attributes }) =>
    Boolean(smart_status ?? nvme_smart_health_information_log ?? ata_smart_attributes),
  );
  if (readable.length > 0) return measured(readable.slice(0, MAX_DISKS).map(healthOf));
  const message = reports[0]?.smartctl?.messages?.[0]?.string ?? 'no disk reports its health';
  if (/permission denied/i.test(message)) return missing('reading the health of disks needs root');
  return missing(`smartctl: ${message.slice(0, 200)}`);
}

function healthOf(report: SmartReport): DiskHealth {
  const nvme = report.nvme_smart_health_information_log;
  const attributes = report.ata_smart_attributes?.table ?? [];
  const evidence: string[] = [];
  if (report.smart_status?.passed === false) evidence.push('the disk predicts its own failure');
  if (nvme?.critical_warning) evidence.push(`critical warning 0x${nvme.critical_warning.toString(16)}`);
  if (nvme && (nvme.available_spare ?? 100) < (nvme.available_spare_threshold ?? 0))
    evidence.push('its spare blocks are used up');
  if ((nvme?.media_errors ?? 0) > 0) evidence.push(`${nvme?.media_errors} media errors`);
  for (const { id = 0, raw } of attributes) {
    // Some vendors put further counters into the upper bytes of the raw value.
    const count = (raw?.value ?? 0) % 2 ** 32;
    const name = LOST_SECTORS[id];
    if (name && count > (TOLERATED[id] ?? 0)) evidence.push(`${count} ${name}`);
  }
  const device = report.device?.name ?? report.smartctl?.argv?.at(-1) ?? 'disk';
  const known = report.smart_status?.passed !== undefined || nvme !== undefined;
  return {
    disk: (report.model_name ? `${device} (${report.model_name})` : device).slice(0, 100),
    failing:
      known || evidence.length > 0 ? measured(evidence.length > 0) : missing('the disk does not judge its own health'),
    evidence,
    wearPct: wearOf(nvme?.percentage_used, attributes),
  };
}

function wearOf(
  percentageUsed: number | undefined,
  attributes: NonNullable<NonNullable<SmartReport['ata_smart_attributes']>['table']>,
): Reading<number> {
  // NVMe counts on past its rated endurance, to 255.
  if (percentageUsed !== undefined) return measured(Math.min(100, Math.max(0, percentageUsed)));
  for (const wanted of ENDURANCE_LEFT) {
    const left = attributes.find(({ id }) => id === wanted)?.value;
    if (left !== undefined && left >= 0 && left <= 100) return measured(100 - left);
  }
  return missing('the disk does not report its wear, as magnetic disks do not');
}

/** smartctl indents, so a document begins at a brace in the first column and ends at one. */
function splitDocuments(outputs: string): SmartReport[] {
  return outputs.split(/^(?=\{)/m).flatMap((text): SmartReport[] => {
    try {
      const parsed: unknown = JSON.parse(text.slice(0, text.lastIndexOf('\n}') + 2) || text);
      return typeof parsed === 'object' && parsed !== null ? [parsed as SmartReport] : [];
    } catch {
      return [];
    }
  });
}
