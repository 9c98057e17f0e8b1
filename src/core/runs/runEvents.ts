/** Tells those who watch a run in this process that something happened to it. */
import type { RunEvent, RunEvents } from '../ports/runPorts.ts';

export function createRunEvents(): RunEvents {
  const listeners = new Map<string, Set<(event: RunEvent) => void>>();
  return {
    publish(runId, event) {
      for (const listener of listeners.get(runId) ?? []) listener(event);
    },
    subscribe(runId, listener) {
      const ofRun = listeners.get(runId) ?? new Set();
      listeners.set(runId, ofRun.add(listener));
      return () => {
        ofRun.delete(listener);
        if (ofRun.size === 0 && listeners.get(runId) === ofRun) listeners.delete(runId);
      };
    },
  };
}
