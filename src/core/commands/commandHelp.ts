/** Help about the typed commands, made from the tools themselves. */

import { COMMAND_PREFIXES, callTextFor, descriptionFor } from '../callText.ts';
import type { AnyTool } from '../tool.ts';
import { fieldsOf, usage } from './fields.ts';

/** The interfaces whose calls are typed. */
type Typed = keyof typeof COMMAND_PREFIXES;

interface HelpTopic {
  topic: string;
  tools: AnyTool[];
}

/** A tool belongs to the first topic whose words its name holds. */
const TOPICS: readonly [topic: string, name: RegExp][] = [
  ['Alerts and incidents', /alert|incident/],
  ['Healing', /approval|remediat|playbook/],
  ['Scores', /score|fleet$|trend|kpi/],
  ['Scans and runs', /scan|run$|runs$/],
  ['Machines', /endpoint/],
  ['People', /feedback|survey/],
  ['Knowledge', /runbook|ask|question/],
];
const ELSE = 'More';

/** Whether help about this was asked for: a topic by a word of its name, or everything. */
export function isHelpTopic(word: string): boolean {
  return isAllTopics(word) || TOPICS.some(([topic]) => isTopic(topic, word));
}

function isAllTopics(word: string): boolean {
  return /^(?:all|more|everything)$/i.test(word);
}

function isTopic(topic: string, word: string): boolean {
  return word.length > 2 && topic.toLowerCase().split(/\W+/).includes(word.toLowerCase());
}

/** The topics that a word names; all of them for `all`. */
export function helpAbout(tools: readonly AnyTool[], word: string): HelpTopic[] {
  const topics = helpTopics(tools);
  return isAllTopics(word) ? topics : topics.filter(({ topic }) => isTopic(topic, word));
}

/** The tools of the short help for employees, or for staff. */
export function everydayTools(tools: readonly AnyTool[], reader: 'employees' | 'staff'): AnyTool[] {
  return tools.filter(({ command }) => command?.everydayFor?.includes(reader));
}

/** The tools that can be typed, by topic; topics without any are left out. */
export function helpTopics(tools: readonly AnyTool[]): HelpTopic[] {
  const topicOf = ({ name }: AnyTool) =>
    name.startsWith('scan_') ? 'Scans and runs' : (TOPICS.find(([, pattern]) => pattern.test(name))?.[0] ?? ELSE);
  const typed = tools.filter(({ command }) => command);
  return [...TOPICS.map(([topic]) => topic), ELSE]
    .map((topic) => ({ topic, tools: typed.filter((tool) => topicOf(tool) === topic) }))
    .filter((topic) => topic.tools.length > 0);
}

export function helpText(tools: readonly AnyTool[], via: Typed): string {
  const prefix = COMMAND_PREFIXES[via];
  const topics = helpTopics(tools).map(({ topic, tools: members }) =>
    [topic, ...members.map((tool) => `  ${prefix} ${tool.command!.example}    ${tool.title}`)].join('\n'),
  );
  return [...topics, `More about one: ${prefix} help COMMAND`].join('\n\n');
}

/** One command with its options. @param tools all tools, which its description may refer to */
export function toolHelpText(tool: AnyTool, tools: readonly AnyTool[], via: Typed): string {
  const prefix = COMMAND_PREFIXES[via];
  const options = fieldsOf(tool).map(({ name, description, choices }) => {
    const values = choices.length > 0 ? choices.join(' | ') : '';
    return `  --${name}${[values, description]
      .filter(Boolean)
      .map((text) => `  ${text}`)
      .join('')}`;
  });
  return [
    `${prefix} ${usage(tool)}`,
    descriptionFor(tool, callTextFor(tools, via)),
    `Example: ${prefix} ${tool.command!.example}`,
    ...(options.length > 0 ? ['Options:', ...options] : []),
  ].join('\n');
}
