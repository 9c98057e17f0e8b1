/** Where a NUL stands in an input. */
import { expect, test } from 'vitest';
import { pathOfNul } from '../../src/core/nulCharacter.ts';

test.each([
  [{ hostname: 'a\0b' }, 'hostname'],
  [{ tags: { dept: 'x', site: '\0' } }, 'tags.site'],
  [{ options: { services: ['cron', 'x\0'] } }, 'options.services.1'],
  [{ tags: { 'a\0': 'x' } }, 'tags'],
  [{ hostname: 'a', since: new Date(), limit: 3, none: null }, null],
])('%j', (input, path) => expect(pathOfNul(input)).toBe(path));
