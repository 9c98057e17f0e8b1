/** The causes that a diagnosis knows: by what each is established, what else it brings about, and what helps. */
import type { CauseDeclaration } from './causeDeclaration.ts';
import { HARDWARE_CAUSES } from './hardwareCauses.ts';
import { NETWORK_CAUSES } from './networkCauses.ts';
import { SOFTWARE_CAUSES } from './softwareCauses.ts';

export const CAUSES: readonly CauseDeclaration[] = [...HARDWARE_CAUSES, ...NETWORK_CAUSES, ...SOFTWARE_CAUSES];
