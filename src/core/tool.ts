/** What a tool is: one declaration from which every interface is made. */
import type { z } from 'zod';
import type { Actor, Interface, Role } from './actor.ts';
import type { ChartSpec } from './chart.ts';
import type { Ports } from './ports/ports.ts';
import type { CardKind, Overview, RelatedCall, ToolCall } from './presentation.ts';
import type { Subject } from './subjects.ts';

/** The text of one call; null when the interface does not offer the tool. */
export type CallText = (tool: string, input?: Record<string, unknown>) => string | null;

/** Sets of tools that the client of a model asks for by name, because reading all of them would cost it too much. */
export const TOOLSETS = [
  'machines',
  'alerts',
  'approvals',
  'runbooks',
  'runs',
  'surveys',
  'predictions',
  'audit',
  'admin',
] as const;
export type Toolset = (typeof TOOLSETS)[number];

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
  /** Also served as server-sent events below `PATH/events`, for as long as what it shows goes on. */
  events?: boolean;
}

/** The command people type: `/dex score HOST` in Slack and `dex score HOST` in a shell. */
interface CommandSyntax {
  name: string;
  /** Input fields in the order they are typed; the rest is given as `--field value` or `field=value`. */
  args: string[];
  /** The last argument takes the rest of the line, as a question or a search does. */
  sentence?: boolean;
  /** Fields that a shell gives as the names of files with their values, `-` for its standard input. */
  files?: readonly string[];
  /** Text without a command, as a mention in a chat, is a call of this one, as its first argument. */
  takesPlainText?: boolean;
  /** Other names, each with the input that it stands for: `approve` for a decision. */
  also?: readonly { name: string; input?: Record<string, unknown> }[];
  /** Whose short help it is part of. */
  everydayFor?: readonly ('employees' | 'staff')[];
  example: string;
}

/** Who delivers: a system that knows a route of its own instead of a tool's. */
type DeliveryKind =
  | 'alertmanager'
  | 'tickets'
  | 'fleet'
  | 'agent'
  | 'late_reports'
  | 'enrolment'
  | 'token_renewal'
  | 'sign_off';

/** What of the configuration decides about times. */
export interface ScheduleSettings {
  /** A divisor of 60. */
  scanIntervalMinutes: number;
  survey: {
    /** Cron expression, UTC; empty is never. */
    cron: string;
    /** Share of those who may be asked, 1–100. */
    sharePct: number;
  };
  /** Whether there is a model for agents to think with. */
  hasAgents: boolean;
}

interface ToolSchedule {
  job: string;
  /** What earlier versions called the job; a shared queue still holds their schedules. */
  retiredJobs?: readonly string[];
  /** Cron expression, UTC; null is never. */
  cron(settings: ScheduleSettings): string | null;
  input?(settings: ScheduleSettings): Record<string, unknown>;
}

export interface ToolResource {
  /** Its address; a field of the input stands in braces. */
  uri: string;
  name: string;
  title: string;
  description: string;
  mimeType: 'application/json' | 'text/markdown';
}

interface ToolContext {
  ports: Ports;
  actor: Actor;
  now: Date;
  /** Aborted when the caller goes away or the service stops. */
  signal: AbortSignal;
  /** For long work: how far it is, 0–1, and as text. */
  progress(share: number, message: string): void;
}

/**
 * For whom a tool is whose role holds for a part of the fleet. `selection`: it reads and changes what is about machines, and meets
 * only theirs. `fleet`: it is about the fleet as a whole, or reaches beyond what is kept, so that such a role is not enough.
 * `shared`: it has nothing of any machine.
 */
type Reach = 'selection' | 'fleet' | 'shared';

interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  effect: Effect;
  reach: Reach;
  /** The least role that may call it; by default viewer for reads, operator for the rest. */
  role?: Role;
  /** Finds what an input is about; whose that is counts together with the role. Null when there is no such thing. */
  subject?(input: z.output<I>, ports: Ports, actor: Actor): Promise<Subject | null>;
  /** The role that is enough for what is the caller's own, where `role` asks for more; what viewers read of everything, employees read of their own. */
  ownerRole?: Role;
  /** Only the owner of what it is about may call it, whatever the role of others: it is a person's consent. */
  ownersOnly?: boolean;
  /** Answering approvals is for approvers, where the interface knows who they are; elsewhere the role decides. */
  approversOnly?: boolean;
  /** Only a person may do it: on an interface where a model calls, the person behind it is asked. */
  humansOnly?: boolean;
  /** How the person behind a model is asked; by default with the tool's title and its input. */
  question?(input: z.output<I>, ports: Ports): Promise<string>;
  /** Whether a call, as it was typed, reaches many machines or people, so that who types it is asked once more. */
  reachesMany?(input: Partial<Record<keyof z.output<I>, unknown>>): boolean;
  /** Interfaces that do not offer it (a webhook's inner tool is not for people). */
  hiddenFrom?: readonly Interface[];
  /** The set by which a model's client gets it; one without a set is among the few that every client gets. */
  toolset?: Toolset;
  /** True when what it writes says by itself who wrote it and when, so that the audit needs no line for each call. */
  selfRecording?: boolean;
  /** The fields of its input as the audit has them once it was done: an erased name is not written down again. */
  auditedAs?(output: z.output<O>): Record<string, unknown>;
  /** Its answers are confidential: the audit shows that it was called and how it ended, not by whom or with what. */
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
  /** The same for an employee, whose own machine it is about: short, in everyday language. */
  employeeSummary?(output: z.output<O>): string;
  /** The answer as a picture, when one says more. */
  chart?(output: z.output<O>): ChartSpec | null;
  /** The answer as a table, for whoever exports it as CSV or JSON lines. */
  rows?(output: z.output<O>): Record<string, unknown>[];
  /** What the answer shows, for interfaces that have a card for it, and the input field that names the one shown. */
  shows?: { card: CardKind; by?: Extract<keyof z.output<I>, string> };
  /** It makes machines or people known by their real names, so that it takes those where others take pseudonyms. */
  namesMachines?: boolean;
  /** Where on the page a person sees what the answer shows: a path. */
  page?(output: z.output<O>): string | null;
  /** What somebody who reads the answer may want to do next. */
  related?(output: z.output<O>): RelatedCall[];
  /** For work that goes on after the answer: the id of the run in which it does. */
  progress?(output: z.output<O>): string | null;
  /** For an answer that tells of an end: the call that shows what came of it. */
  followUp?(output: z.output<O>): ToolCall | null;
  /** True where the call went well and what it was for did not come about: a scan that reached nobody. Scripts are told. */
  cameToNothing?(output: z.output<O>): boolean;
  /** The call whose chart says more than a chart of this answer. */
  illustration?(output: z.output<O>): ToolCall | null;
  /** Its part of the overview that staff are shown. */
  overview?: Overview<z.output<O>>;
  /** It keeps whether the answer of a run (`run_id`) was `helpful`; interfaces offer it below answers. */
  ratesAnswers?: true;
  /** The label under which people are offered it beside their own machines. */
  ownMachineLabel?: string;
  /** The deliveries of other systems that it takes in; their routes have no declaration of their own. */
  takesIn?: DeliveryKind;
  /** When the service itself calls it. */
  schedule?: ToolSchedule;
  /** Its answer as something that a model's client reads by address (an MCP resource). */
  resource?: ToolResource;
}

/** A tool with its schemas' types erased, as registries and interfaces hold it. */
export interface AnyTool
  extends Omit<
    Tool,
    | 'run'
    | 'summary'
    | 'employeeSummary'
    | 'chart'
    | 'rows'
    | 'question'
    | 'subject'
    | 'reachesMany'
    | 'shows'
    | 'page'
    | 'related'
    | 'progress'
    | 'followUp'
    | 'cameToNothing'
    | 'illustration'
    | 'overview'
    | 'auditedAs'
  > {
  run(input: Fields, context: ToolContext): Promise<Fields>;
  summary(output: Fields, callText: CallText): string;
  employeeSummary?(output: Fields): string;
  chart?(output: Fields): ChartSpec | null;
  rows?(output: Fields): Fields[];
  question?(input: Fields, ports: Ports): Promise<string>;
  subject?(input: Fields, ports: Ports, actor: Actor): Promise<Subject | null>;
  reachesMany?(input: Fields): boolean;
  shows?: { card: CardKind; by?: string };
  page?(output: Fields): string | null;
  auditedAs?(output: Fields): Fields;
  related?(output: Fields): RelatedCall[];
  progress?(output: Fields): string | null;
  followUp?(output: Fields): ToolCall | null;
  cameToNothing?(output: Fields): boolean;
  illustration?(output: Fields): ToolCall | null;
  overview?: Overview<Fields>;
}

type Fields = Record<string, unknown>;

/** Checks the declaration's types against its own schemas, then erases them for the registry. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): AnyTool {
  return tool;
}

/** The call whose answer shows a thing of this kind. @param id names it, where there are many */
export function callShowing(tools: readonly AnyTool[], card: CardKind, id?: string): ToolCall {
  const tool = tools.find(({ effect, shows }) => effect === 'read' && shows?.card === card);
  if (!tool) throw new Error(`no tool shows a ${card}`);
  const { by } = tool.shows ?? {};
  return { tool: tool.name, input: by === undefined || id === undefined ? {} : { [by]: id } };
}

/** The tool that takes in what a kind of system delivers. */
export function toolTakingIn(tools: readonly AnyTool[], kind: DeliveryKind): string {
  const tool = tools.find(({ takesIn }) => takesIn === kind);
  if (!tool) throw new Error(`no tool takes in ${kind}`);
  return tool.name;
}
