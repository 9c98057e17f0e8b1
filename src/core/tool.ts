/** What a tool is: one declaration from which every face is made. */
import type { z } from 'zod';
import type { Actor, Interface, Role } from './actor.ts';
import type { ChartSpec } from './chart.ts';
import type { Ports } from './ports/ports.ts';

/** The text of one call; null when the interface does not offer the tool. */
export type CallText = (tool: string, input?: Record<string, unknown>) => string | null;

/** What calling a tool does to the world; policy, MCP annotations and the need for approval all follow from it. */
export type Effect = 'read' | 'write' | 'destructive';

export interface HttpRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Koa path; its parameters are fields of the input. */
  path: string;
  /** Fields that a route which changes something also takes from the address; all others come in the JSON body alone. */
  query?: readonly string[];
  /** Success status, 200 unless said. */
  status?: 200 | 201 | 202;
}

/** The words people type: `/dex score HOST` in Slack and `dex score HOST` in a shell. */
export interface CommandSyntax {
  name: string;
  /** Input fields in the order they are typed; the rest is given as `--field value` or `field=value`. */
  args: string[];
  /** The last argument takes all the words that are left, as a question or a search does. */
  sentence?: boolean;
  example: string;
}

export interface ToolContext {
  ports: Ports;
  actor: Actor;
  now: Date;
  /** Aborted when the caller goes away or the service stops. */
  signal: AbortSignal;
  /** For long work: how far it is, 0–1, and in words. */
  progress(share: number, message: string): void;
}

export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  effect: Effect;
  /** The least role that may call it; by default viewer for reads, operator for the rest. */
  role?: Role;
  /** Only a person may do it: on a face where a model calls, the person behind it is asked. */
  humansOnly?: boolean;
  /** How the person behind a model is asked; by default with the tool's title and its input. */
  question?(input: z.output<I>, ports: Ports): Promise<string>;
  /** Faces that do not offer it (a webhook's inner tool is not for people). */
  hiddenFrom?: readonly Interface[];
  /** True when what it writes says by itself who wrote it and when, so that the audit needs no line for each call. */
  selfRecording?: boolean;
  /** Its answers are confidential: the audit tells that it was called and how it ended, not by whom or with what. */
  anonymous?: boolean;
  /** Refers to another tool as `{get_run}`, which each interface writes in its own form. */
  description: string;
  http?: HttpRoute;
  command?: CommandSyntax;
  input: I;
  output: O;
  run(input: z.output<I>, context: ToolContext): Promise<z.input<O>>;
  /** The answer as a person or a model reads it: plain text, newlines allowed, no markup; calls are written by `callText`. */
  summary(output: z.output<O>, callText: CallText): string;
  /** The answer as a picture, when one says more. */
  chart?(output: z.output<O>): ChartSpec | null;
  /** The answer as a table, for whoever exports it as CSV or JSON lines. */
  rows?(output: z.output<O>): Record<string, unknown>[];
}

/** A tool with its schemas' types erased, as registries and faces hold it. */
export interface AnyTool extends Omit<Tool, 'run' | 'summary' | 'chart' | 'rows' | 'question'> {
  run(input: Record<string, unknown>, context: ToolContext): Promise<Record<string, unknown>>;
  summary(output: Record<string, unknown>, callText: CallText): string;
  chart?(output: Record<string, unknown>): ChartSpec | null;
  rows?(output: Record<string, unknown>): Record<string, unknown>[];
  question?(input: Record<string, unknown>, ports: Ports): Promise<string>;
}

/** Checks the declaration's types against its own schemas, then erases them for the registry. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): AnyTool {
  return tool;
}
