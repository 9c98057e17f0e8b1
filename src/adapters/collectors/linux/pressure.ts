/** Reads Linux' pressure stall information (PSI): the share of time in which some task waits for a resource. */

/** Microseconds since boot in which at least one task waited; null when the text is not PSI. */
export function parsePressureTotal(text: string): number | null {
  const micros = /^some .*\btotal=(\d+)/m.exec(text)?.[1];
  return micros === undefined ? null : Number(micros);
}

export const NO_PRESSURE = 'the kernel keeps no pressure figures (older than 4.20, or started without psi=1)';
