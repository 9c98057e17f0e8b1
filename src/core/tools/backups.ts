/** The tool that takes a backup; restoring needs the service to stand still, so only the command line does it. */
import { z } from 'zod';
import { INTERFACES } from '../actor.ts';
import { defineTool } from '../tool.ts';

export const createBackup = defineTool({
  name: 'create_backup',
  title: 'Back up',
  effect: 'write',
  reach: 'fleet',
  toolset: 'admin',
  role: 'admin',
  hiddenFrom: INTERFACES.filter((via) => via !== 'rest' && via !== 'cli' && via !== 'job'),
  description:
    'Write the database and uploaded runbooks into a compressed file with a checksum, while everything goes on.',
  http: { method: 'POST', path: '/api/v1/backups', status: 201 },
  command: { name: 'backup', args: [], example: 'backup' },
  input: z.strictObject({}),
  output: z.object({ file: z.string(), bytes: z.number().int(), sha256: z.string() }),
  run: (_input, { ports, now }) => ports.backups.create(now),
  summary: ({ file, bytes, sha256 }) =>
    `Backed up to ${file} (${Math.max(1, Math.round(bytes / 1024))} KiB, SHA-256 ${sha256.slice(0, 12)}…).`,
});
