/** What every part of the Slack interface works with. */
import type { webApi } from '@slack/bolt';
import type { Invoke } from '../../core/invoke.ts';
import type { SlackMessageRepository } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { AnyTool } from '../../core/tool.ts';
import type { Pictures } from './cards/pictures.ts';
import type { Reply } from './cards/text.ts';
import type { Person, SlackPeople } from './people.ts';
import type { Unfinished } from './questions/unfinished.ts';

export interface SlackContext {
  /** Those that Slack may offer. */
  tools: readonly AnyTool[];
  invoke: Invoke;
  client: webApi.WebClient;
  people: SlackPeople;
  pictures: Pictures;
  unfinished: Unfinished;
  /** Where each message about something stands. */
  messages: SlackMessageRepository;
  clock: Clock;
  /** Where people reach the page, without a slash at the end; empty when nobody said. */
  publicUrl: string;
  log: Log;
  /** Awaited between an acknowledgement and the work it promises. */
  turn(): Promise<void>;
  /** Aborted when the service stops. */
  stopping: AbortSignal;
}

/** Somebody asking for something, wherever they did. */
export interface Asker {
  person: Person;
  /** Answers for their eyes only, next to where they asked. */
  respond(reply: Reply): Promise<void>;
}

export interface Click extends Asker {
  actionId: string;
  /** The button's or the chosen option's value; untrusted until read. */
  value: string;
  triggerId: string;
  /** The message whose button it is; null on the Home tab and in modals. */
  message: { channel: string; ts: string; threadTs: string | null } | null;
  /** Shows something to everybody in the channel; null where there is none. */
  notifyAll: ((reply: Reply) => Promise<void>) | null;
}
