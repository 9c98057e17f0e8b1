/** Signals of currency: updates that wait, how old the last one is, and whether the clock is right. */
import { EVERY_PLATFORM, type SignalDeclaration } from './declaration.ts';

const UPDATES = { kind: 'number', component: 'device', per: 'machine', better: 'lower' } as const;

export const CURRENCY_SIGNALS = {
  updatesPending: {
    ...UPDATES,
    unit: 'count',
    platforms: EVERY_PLATFORM,
    label: 'updates pending',
    about: 'Updates that the system knows of and has not installed.',
    purpose: 'Tells a machine that does not update.',
  },
  securityUpdatesPending: {
    ...UPDATES,
    unit: 'count',
    platforms: EVERY_PLATFORM,
    label: 'security updates pending',
    about: 'Security updates that the system knows of and has not installed.',
    purpose: 'Holes are closed in time.',
  },
  updateAgeDays: {
    ...UPDATES,
    unit: 'days',
    platforms: EVERY_PLATFORM,
    label: 'age of the last update',
    about: 'Days since an update was last looked for or installed successfully.',
    purpose: 'Tells an updater that no longer works.',
  },
  clockOffsetS: {
    kind: 'number',
    unit: 's',
    component: 'device',
    per: 'machine',
    better: 'zero',
    platforms: EVERY_PLATFORM,
    label: 'clock offset',
    about: "How far the machine's clock is ahead (positive) or behind (negative).",
    purpose: 'A wrong clock breaks logins and certificates.',
    signed: true,
  },
} as const satisfies Record<string, SignalDeclaration>;
