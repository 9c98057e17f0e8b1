/** The process that indexes all runbooks and ends; started by the service, which tells it where they are. */
import { createLog } from '../adapters/log.ts';
import { AppError } from '../core/errors.ts';
import { createRunbooks } from '../core/runbooks/runbooks.ts';
import { type IndexAnswer, type IndexOrder, runbookParts } from './runbookParts.ts';

const order: IndexOrder = JSON.parse(process.argv[2] ?? '');

// A terminal's Ctrl+C reaches this process too; when to stop is for the service to say, or for its end.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(1));

const parts = runbookParts(order.places, createLog(order.log), { mayDownload: true });
const runbooks = createRunbooks(parts);
const answer = await runbooks.indexAll().then(
  (report): IndexAnswer => ({ report, note: runbooks.status().note }),
  (error: unknown): IndexAnswer => {
    if (!(error instanceof AppError)) throw error;
    return { failure: { kind: error.kind, message: error.message } };
  },
);
process.send?.(answer, () => process.exit(0));
