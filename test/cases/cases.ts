/** All cases of the field; a further kind (deliveries, identities) adds its list here. */
import type { Case } from './case.ts';
import { PAGE_CASES } from './pages.ts';
import { SNAPSHOT_CASES } from './snapshots.ts';

export const CASES: readonly Case[] = [...PAGE_CASES, ...SNAPSHOT_CASES];
