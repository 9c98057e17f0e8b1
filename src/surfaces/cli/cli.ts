/** The `dex` program. It loads little, so that asking the running service is quick; what does the work itself comes when it has to. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWithoutColours, processEnv } from '../../environment.ts';
import { PROJECT_DIR } from '../../projectDir.ts';
import { askService } from './askService.ts';
import { runSignedIn } from './signedIn.ts';
import { processTerminal } from './terminal.ts';

const argv = process.argv.slice(2);
process.exit(argv[0] === '--version' || argv[0] === '-V' ? version() : await run());

async function run(): Promise<number> {
  const env = processEnv();
  const terminal = processTerminal(!isWithoutColours(env));
  const signedIn = await runSignedIn(argv, env, terminal);
  if (signedIn !== null) return signedIn;
  const code = await askService(argv, env, env.DATA_DIR?.trim() || 'data', terminal);
  if (code !== null) return code;
  const { runCli } = await import('./runCli.ts');
  // Agenda leaves a timer running for minutes after a job has ended; everything of ours is closed by then.
  return runCli(argv, env, terminal);
}

function version(): number {
  const manifest = join(PROJECT_DIR, 'package.json');
  process.stdout.write(`dex ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}\n`);
  return 0;
}
