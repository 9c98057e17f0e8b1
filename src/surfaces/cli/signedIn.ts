/** Which commands go to a service elsewhere: signing in and out, and all others from then on. What this takes is loaded when it is needed. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { loginFile } from './loginFile.ts';
import type { Terminal } from './terminal.ts';

type Env = Record<string, string | undefined>;

/** @returns the exit code; null where the command is this machine's own */
export async function runSignedIn(argv: readonly string[], env: Env, terminal: Terminal): Promise<number | null> {
  const [command, ...words] = argv;
  const isOfLogin = command === 'login' || command === 'logout';
  if (!isOfLogin && !existsSync(loginFile(env))) return null;
  const [{ logIn, logOut, readLogin }, { runRemotely }, { reported }] = await Promise.all([
    import('./login.ts'),
    import('./remoteService.ts'),
    import('./commandLine.ts'),
  ]);
  return reported(terminal, async () => {
    if (command === 'login') {
      terminal.out(await logIn(words, env, terminal, (seconds) => delay(seconds * 1000)));
      return 0;
    }
    if (command === 'logout') {
      terminal.out(await logOut(env));
      return 0;
    }
    const login = await readLogin(env);
    return login && runRemotely(argv, terminal, login);
  });
}
