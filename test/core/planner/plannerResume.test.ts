import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import type { PendingCall } from '../../../src/core/planner/plannerCalls.ts';
import { ANSWER, plan, profileOf, scriptedLlm, toolsOf } from '../../helpers/plannerWorld.ts';

const ACK = { calls: [['dexops__ack', { id: 1 }]] as [string, unknown][] };
const profile = profileOf({ allow_writes: ['dexops__ack'] });

/** A world where a write is counted, and what it looked like at every save. */
async function countedWorld() {
  const count = { writes: 0 };
  const tools = await toolsOf({
    get_score: { run: () => 'score 31' },
    ack: { effect: 'write', run: () => `acknowledged ${++count.writes}` },
  });
  return { count, tools };
}

const script = () =>
  scriptedLlm(({ messages }) => {
    const answered = messages.filter(({ role }) => role === 'tool').length;
    if (answered === 0) return { calls: [['dexops__get_score', {}]] };
    return answered === 1 ? ACK : ANSWER;
  });

describe('a run that was cut off', () => {
  it('goes on from every state it ever saved and never makes the write a second time', async () => {
    const first = await countedWorld();
    const writesAt: number[] = [];
    const whole = await plan({
      llm: script(),
      tools: first.tools,
      profile,
      onStep: async () => {
        writesAt.push(first.count.writes);
      },
    });
    expect(whole.status).toBe('completed');

    const again = await countedWorld();
    const { states } = await plan({ llm: script(), tools: again.tools, profile });
    expect(states).toHaveLength(writesAt.length);
    const ends: string[] = [];
    for (const [index, resume] of states.entries()) {
      const world = await countedWorld();
      const result = await plan({ llm: script(), tools: world.tools, profile, resume });
      ends.push(result.status);
      const begun = resume.steps.some(({ calls }) =>
        calls.some((c) => c.tool === 'dexops__ack' && c.status === 'started'),
      );
      expect(result.status).toBe(begun ? 'interrupted' : 'completed');
      expect(world.count.writes + writesAt[index]!).toBe(begun ? 0 : 1);
    }
    expect(ends.filter((status) => status === 'interrupted')).toHaveLength(1);
  });

  it('does not go on by itself after a write whose outcome nobody knows, and says which', async () => {
    const { tools } = await countedWorld();
    const { states } = await plan({ llm: script(), tools, profile });
    const resume = states.find(({ steps }) => steps.at(-1)?.calls[0]?.status === 'started')!;
    const result = await plan({ llm: script(), tools, profile, resume });
    expect(result.error).toMatchObject({
      kind: 'write_outcome_unknown',
      message: expect.stringContaining('dexops__ack'),
    });
  });

  it('counts the working time before the cut', async () => {
    const { tools } = await countedWorld();
    const { states } = await plan({ llm: script(), tools, profile });
    const resume = { ...states[1]!, activeMs: 59_999_999 };
    expect((await plan({ llm: script(), tools, profile, resume })).error?.kind).toBe('time_limit');
  });

  it('refuses a tool that is no longer what it was when the run began', async () => {
    const { tools } = await countedWorld();
    const { states } = await plan({ llm: script(), tools, profile });
    let sent = 0;
    const changed = await toolsOf({
      get_score: { run: () => 'x' },
      ack: { effect: 'write', description: 'Does something else now.', run: () => ++sent },
    });
    const result = await plan({ llm: script(), tools: changed, profile, resume: states[0]! });
    expect(result.steps.flatMap(({ calls }) => calls).find(({ tool }) => tool === 'dexops__ack')).toMatchObject({
      status: 'refused',
      refusal: 'changed_tool',
    });
    expect(sent).toBe(0);
  });
});

describe('a call that needs a human', () => {
  const asking = (verdict: 'allow' | 'deny') => async (call: PendingCall) => {
    if (!call.needsApproval) return { verdict: 'allow' as const };
    if (call.approvalId === null) return { verdict: 'wait' as const, approvalId: `for ${call.callId}` };
    return verdict === 'allow' ? { verdict } : { verdict, reason: 'not during office hours' };
  };

  it('waits, having made the reads before it, and is made once after the yes', async () => {
    const { tools, count } = await countedWorld();
    const llm = () => scriptedLlm({ calls: [['dexops__get_score', {}], ...ACK.calls] }, ANSWER);
    const waiting = await plan({ llm: llm(), tools, beforeToolCall: asking('allow') });
    expect(waiting.status).toBe('waiting_approval');
    expect(waiting.steps[0]!.calls.map(({ status, approvalId }) => [status, approvalId])).toEqual([
      ['done', null],
      ['waiting', 'for s1c2'],
    ]);
    expect(count.writes).toBe(0);

    const resume = waiting.states.at(-1)!;
    const done = await plan({ llm: scriptedLlm(ANSWER), tools, beforeToolCall: asking('allow'), resume });
    expect(done.status).toBe('completed');
    expect(count.writes).toBe(1);
  });

  it('is not made after a no; the model is told why', async () => {
    const { tools, count } = await countedWorld();
    const waiting = await plan({ llm: scriptedLlm(ACK), tools, beforeToolCall: asking('deny') });
    const llm = scriptedLlm(ANSWER);
    const done = await plan({ llm, tools, beforeToolCall: asking('deny'), resume: waiting.states.at(-1)! });
    expect(done.status).toBe('completed');
    expect(llm.requests[0]!.messages.at(-1)!.text).toContain('not during office hours');
    expect(count.writes).toBe(0);
  });

  it('is denied when nobody can be asked', async () => {
    const { tools, count } = await countedWorld();
    const result = await plan({ llm: scriptedLlm(ACK, ANSWER), tools });
    expect(result.steps[0]!.calls[0]!.refusal).toBe('denied');
    expect(count.writes).toBe(0);
  });

  it('is asked about even where the profile allows the tool, if it destroys', async () => {
    let sent = 0;
    const tools = await toolsOf({ wipe: { effect: 'destructive', run: () => ++sent } });
    const llm = scriptedLlm({ calls: [['dexops__wipe', {}]] }, ANSWER);
    await plan({ llm, tools, profile: profileOf({ allow_writes: ['dexops__*'] }) });
    expect(sent).toBe(0);
  });
});

describe('a run that is cancelled', () => {
  it('stops in the middle of a read, which counts as not made', async () => {
    const abort = new AbortController();
    const tools = await toolsOf({
      slow: {
        run: async (_input, signal) => {
          const cut = new Promise((resolve) => signal.addEventListener('abort', resolve));
          abort.abort(new AppError('conflict', 'Cancelled by ops@example.com.'));
          await cut;
        },
      },
    });
    const llm = scriptedLlm({ calls: [['dexops__slow', {}]] });
    const result = await plan({ llm, tools, signal: abort.signal });
    expect(result).toMatchObject({ status: 'cancelled', error: { message: 'Cancelled by ops@example.com.' } });
    expect(result.steps[0]!.calls[0]!.status).toBe('planned');
  });

  it('marks a write in the middle of which it stopped as unknown', async () => {
    const abort = new AbortController();
    const tools = await toolsOf({
      ack: {
        effect: 'write',
        run: async () => {
          abort.abort();
          await new Promise(() => {});
        },
      },
    });
    const result = await plan({ llm: scriptedLlm(ACK), tools, profile, signal: abort.signal });
    expect(result.status).toBe('cancelled');
    expect(result.steps[0]!.calls[0]!.status).toBe('unknown');
  });
});
