/** What an MCP server is made from; its parts take from it what they need. */
import type { Actor } from '../src/core/actor.ts';
import { callTextFor, descriptionFor } from '../src/core/callText.ts';
import type { ChartRenderer } from '../src/core/chart.ts';
import type { Invoke } from '../src/core/invoke.ts';
import type { Log } from '../src/core/ports/ports.ts';
import type { AnyTool } from '../src/core/tool.ts';
import { MODEL_INSTRUCTIONS } from '../src/core/tools/modelGuide.ts';
import type { McpView } from './view.ts';

export interface McpServerOptions {
  tools: readonly AnyTool[];
  invoke: Invoke;
  /** On whose behalf the client calls; decides what is listed. */
  actor: Actor;
  /** What of it the client asked to see. */
  view: McpView;
  charts: ChartRenderer;
  log: Log;
  version: string;
}

/** How the server calls itself; the version comes with the options. */
export const IDENTITY = { name: 'dexops', title: 'DexOps' };

/** What a client tells its model about the server as a whole. */
export function instructionsFor({ tools }: Pick<McpServerOptions, 'tools'>): string {
  return descriptionFor({ description: MODEL_INSTRUCTIONS }, callTextFor(tools, 'mcp'));
}
