/** All cases of the field; a further kind adds its list here. */
import type { Case } from './case.ts';
import { DELIVERY_CASES, UNREACHABLE_CASE } from './deliveries.ts';
import { PAGE_CASES } from './pages.ts';
import { SNAPSHOT_CASES } from './snapshots.ts';

export const CASES: readonly Case[] = [...PAGE_CASES, ...SNAPSHOT_CASES, UNREACHABLE_CASE, ...DELIVERY_CASES];
