/** What an MCP server is made from; its parts take from it what they need. */
import type { Actor } from '../src/core/actor.ts';
import type { ChartRenderer } from '../src/core/chart.ts';
import type { Invoke } from '../src/core/invoke.ts';
import type { Log } from '../src/core/ports/ports.ts';
import type { AnyTool } from '../src/core/tool.ts';
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
