/** Commands of somebody who is signed in to a service elsewhere: it does the work, over its REST interface. */

import { COMMAND_PREFIXES, callTextFor } from '../../core/callText.ts';
import type { ChartSpec } from '../../core/chart.ts';
import { AppError } from '../../core/errors.ts';
import { type Answer, answerOf } from '../../core/invoke.ts';
import type { AnyTool } from '../../core/tool.ts';
import { TOOLS } from '../../core/tools/index.ts';
import { type OpenApp, runCommandLine } from './commandLine.ts';
import type { Login } from './login.ts';
import { askRemote, remoteResponse } from './remoteRequest.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code; never rejects */
export function runRemotely(argv: readonly string[], terminal: Terminal, login: Login): Promise<number> {
  return runCommandLine(argv, terminal, {
    open: async () => remoteApp(login),
    restore: () => {
      throw new AppError(
        'refused',
        `You are signed in to ${login.service}. A backup is restored on the service’s own machine: ${COMMAND_PREFIXES.cli} logout first.`,
      );
    },
  });
}

function remoteApp(login: Login): OpenApp {
  const texts = callTextFor(TOOLS, 'cli');
  /** A picture is drawn by the service, of the answer that it belongs to. */
  const pictures = new WeakMap<ChartSpec, () => Promise<Uint8Array>>();
  return {
    async invoke(name, raw) {
      const input = raw as Record<string, unknown>;
      const tool = TOOLS.find((each) => each.name === name);
      if (!tool?.http || tool.hiddenFrom?.includes('rest'))
        throw new AppError(
          'refused',
          `${login.service} does not offer this over the network. Type it on the service’s own machine.`,
        );
      const { path, body } = requestFor(tool, tool.http, input);
      const output = (await askRemote(login, tool.http.method, path, body).catch((error: unknown) => {
        throw inNeedOfLogin(error, login);
      })) as Record<string, unknown>;
      const answer: Answer = answerOf(tool, { tool: name, input }, output, tool.summary(output, texts), login.service);
      if (answer.chart)
        pictures.set(answer.chart, async () =>
          (await remoteResponse(login, tool.http!.method, path, 'image/png', body)).bytes(),
        );
      return answer;
    },
    async png(chart) {
      const picture = pictures.get(chart);
      if (!picture) throw new AppError('not_found', 'This answer has no picture.');
      return picture();
    },
    address: login.service,
    work: async () => {},
    close: async () => {},
  };
}

function requestFor(
  tool: AnyTool,
  http: NonNullable<AnyTool['http']>,
  input: Record<string, unknown>,
): { path: string; body: Record<string, unknown> | undefined } {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = http.path.replace(/:(\w+)/g, (_parameter, field: string) => {
    const value = rest.get(field);
    if (value === undefined) throw new AppError('invalid', `"${tool.title}" needs ${field}.`);
    rest.delete(field);
    return encodeURIComponent(String(value));
  });
  if (http.method !== 'GET') return { path, body: Object.fromEntries(rest) };
  const query = new URLSearchParams(
    [...rest].flatMap(([field, value]) => [value].flat().map((each): [string, string] => [field, String(each)])),
  );
  return { path: rest.size === 0 ? path : `${path}?${query}`, body: undefined };
}

function inNeedOfLogin(error: unknown, { service }: Login): unknown {
  if (!(error instanceof AppError) || error.kind !== 'unauthenticated') return error;
  return new AppError('unauthenticated', `${error.message} ${COMMAND_PREFIXES.cli} login ${service}`);
}
