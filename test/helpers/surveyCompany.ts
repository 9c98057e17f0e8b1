/** A company of people with machines, whose survey messages arrive in boxes that the test opens. */
import type { Overrides } from '../../src/app.ts';
import type { Actor } from '../../src/core/actor.ts';
import {
  type ComposedSurvey,
  composeSurveyMessage,
  SURVEY_MESSENGER,
  type SurveyMessage,
} from '../../src/core/people/surveys.ts';
import type { PeopleDirectory } from '../../src/core/ports/feedbackPorts.ts';
import type { Messenger } from '../../src/core/ports/messagePorts.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import type { TestService } from './service.ts';

export interface Employee {
  email: string;
  hostname: string;
  persona: string;
  tags: Record<string, string>;
  timeZone: string;
}

/** A person as the Slack interface presents them. */
export function slackActor(name: string, role: Actor['role'] = 'viewer'): Actor {
  return { id: `slack:U${name}`, name, kind: 'human', via: 'slack', role };
}

/** The directory and the post of the company: what Slack is in life. */
export function post(employees: readonly Employee[]) {
  const letters: ComposedSurvey[] = [];
  let ports: Ports | undefined;
  const people: PeopleDirectory = {
    async lookup(email) {
      const found = employees.find((employee) => employee.email === email);
      return found ? { timeZone: found.timeZone } : null;
    },
  };
  const messenger: Messenger = {
    name: SURVEY_MESSENGER,
    paceMs: 0,
    async deliver({ messages }) {
      if (!ports) return { outcome: 'later', reason: 'the service is starting', afterMs: 10 };
      const letter = await composeSurveyMessage(ports, messages.at(-1)?.payload as SurveyMessage);
      if (letter) letters.push(letter);
      return { outcome: 'delivered' };
    },
  };
  const overrides: Overrides = { people, messengers: [messenger] };
  return {
    overrides,
    letters,
    /** Where letters are written; deliveries wait for it. */
    openFor(service: TestService) {
      ports = service.app.ports;
    },
    /** Letters to a person, oldest first. */
    to: (email: string) => letters.filter((letter) => letter.email === email),
    async arrived(count: number) {
      for (let tries = 0; tries < 600 && letters.length < count; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      if (letters.length !== count) throw new Error(`${letters.length} letters arrived, not ${count}`);
    },
  };
}
