/** What may be asked of agents, and of what they would send. */
import type { Invoke } from '../core/invoke.ts';
import type { PlannerParts } from '../core/planner/plannerRuns.ts';
import type { Ports } from '../core/ports/ports.ts';
import { previewPrompt } from '../core/privacy/promptPreview.ts';
import type { Privacy } from './privacy.ts';

/** @param later what is there only once the application is put together */
export function agentsOf(
  planner: PlannerParts,
  privacy: Privacy,
  later: { ports(): Ports; invoke(): Invoke },
): Ports['agents'] {
  const provider = () => later.ports().settings.recipients.find(({ kind }) => kind === 'model');
  return {
    haveModel: planner.model.llm !== null,
    profiles: () => [...planner.profiles.current().keys()],
    provider: () => provider() ?? null,
    preview: (asked, actor, signal) =>
      previewPrompt(
        { ports: later.ports(), invoke: later.invoke(), parts: planner, guard: privacy.model },
        asked,
        actor,
        signal,
      ),
  };
}
