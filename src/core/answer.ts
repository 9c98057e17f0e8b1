/** What an interface gets of a call: the output with all that its tool says of it. */
import type { ChartSpec } from './chart.ts';
import { type CardKind, pageAddress, type RelatedCall, type ToolCall } from './presentation.ts';
import type { AnyTool } from './tool.ts';

export interface Answer {
  /** What was called, with the input as it was understood. */
  call: ToolCall;
  output: Record<string, unknown>;
  text: string;
  chart: ChartSpec | null;
  /** The kind of thing that is shown, where there are cards for it. */
  card: CardKind | null;
  /** The address of the page that shows it to a person; null without one. */
  page: string | null;
  related: readonly RelatedCall[];
  /** Id of the run in which the work goes on after this answer. */
  progress: string | null;
  followUp: ToolCall | null;
  illustration: ToolCall | null;
}

/** @param publicUrl where people reach the service, empty when nobody said */
export function answerOf(
  tool: AnyTool,
  input: Record<string, unknown>,
  output: Record<string, unknown>,
  text: string,
  publicUrl: string,
): Answer {
  return {
    call: { tool: tool.name, input },
    output,
    text,
    chart: tool.chart?.(output) ?? null,
    card: tool.shows?.card ?? null,
    page: pageAddress(publicUrl, tool.page?.(output) ?? null),
    related: tool.related?.(output) ?? [],
    progress: tool.progress?.(output) ?? null,
    followUp: tool.followUp?.(output) ?? null,
    illustration: tool.illustration?.(output) ?? null,
  };
}
