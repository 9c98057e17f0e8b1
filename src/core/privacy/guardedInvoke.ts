/** Calls of people's tools with their privacy kept: names become pseudonyms at this one boundary, and who looked at a machine is counted. */
import type { Actor } from '../actor.ts';
import { gathered } from '../concurrency/gathered.ts';
import type { Answer, Invoke } from '../invoke.ts';
import type { Ports } from '../ports/ports.ts';
import type { Crossing } from '../ports/privacyBoundary.ts';
import type { Access } from '../ports/privacyPorts.ts';
import type { AnyTool } from '../tool.ts';

/** Look-ups counted in one statement. */
const MOST_TOGETHER = 200;

/** Whose look at a machine the person who has it is told of: people and models, not the service's own work. */
const WATCHED: readonly Actor['kind'][] = ['human', 'model'];

/**
 * Tools whose answers are shown by the reader's pseudonyms before anything (text, chart, page, follow-ups) is made of them.
 * Without a boundary they are as they were.
 */
export function shownTools(tools: readonly AnyTool[], ports: Pick<Ports, 'privacy'>): readonly AnyTool[] {
  const { privacy } = ports;
  if (!privacy) return tools;
  return tools.map((tool) => ({
    ...tool,
    async run(input, context) {
      const store =
        tool.effect === 'read' ? privacy.readingStore(context.ports.store, context.actor) : context.ports.store;
      const output = await tool.run(input, { ...context, ports: { ...context.ports, store } });
      if (tool.effect !== 'read') await privacy.refresh();
      return (await privacy.readerOf(context.actor)).shown(output);
    },
  }));
}

/** @param inner calls `shownTools` */
export function guardedInvoke(inner: Invoke, tools: readonly AnyTool[], ports: Ports): Invoke {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const count = gathered<Access, null>(async (accesses) => {
    await ports.store.accesses.count(summed(accesses));
    return accesses.map(() => null);
  }, MOST_TOGETHER);

  return async (name, given, actor, options = {}) => {
    const tool = byName.get(name);
    if (!tool) return inner(name, given, actor, options);
    const crossing = await ports.privacy?.enter(tool, given, actor, options.approvalId !== undefined);
    const answer = crossing ? await across(inner, crossing, name, options) : await inner(name, given, actor, options);
    if (tool.effect === 'read' && tool.subject && WATCHED.includes(actor.kind))
      note(tool, crossing?.raw ?? given, actor);
    return answer;
  };

  async function across(
    call: Invoke,
    { raw, actor, shown }: Crossing,
    name: string,
    options: Parameters<Invoke>[3] & object,
  ): Promise<Answer> {
    const { confirm, progress } = options;
    try {
      const answer = await call(name, raw, actor, {
        ...options,
        ...(confirm && { confirm: (question) => confirm(shown(question)) }),
        ...(progress && { progress: (share, message) => progress(share, shown(message)) }),
      });
      return { ...answer, call: shown(answer.call) };
    } catch (error) {
      throw shown(error);
    }
  }

  /** Counted beside the answer, which never waits for it. */
  function note({ name, subject }: AnyTool, input: unknown, actor: Actor): void {
    const fields = (input ?? {}) as Record<string, unknown>;
    if (typeof fields.hostname !== 'string') return;
    const counting = async () => {
      const about = await subject?.(fields, ports, actor);
      if (!about?.endpoint || about.owners.includes(actor.email?.toLowerCase() ?? '')) return;
      const day = ports.clock.now().toISOString().slice(0, 10);
      const { role, via } = actor;
      await count({ endpointId: about.endpoint.id, day, role, via, tool: name, times: 1 });
    };
    counting().catch((error: unknown) => ports.log.warn({ err: error, tool: name }, 'a look-up was not counted'));
  }
}

/** One row for each thing counted, because a statement may not change a row twice. */
function summed(accesses: readonly Access[]): Access[] {
  const groups = Map.groupBy(accesses, ({ endpointId, day, role, via, tool }) =>
    [endpointId, day, role, via, tool].join(' '),
  );
  return [...groups.values()].map((group) => ({ ...(group[0] as Access), times: group.length }));
}
