/** What people write to a colleague that is no question about a machine: greetings, thanks, and "help". */
import { COMMAND_PREFIXES } from '../../../core/callText.ts';

const GREETING =
  /^(?:hi|hello|hey|hallo|hola|bonjour|good (?:morning|afternoon|evening)|moin|yo|こんにちは)(?: (?:there|dexops|bot|all|team))?$/;
const THANKS =
  /^(?:thanks|thank you|thx|ty|danke|merci|gracias|great|perfect|ok|okay|cool|nice|ありがとう)(?: (?:a lot|so much|very much|you|dexops))?$/;
const HELP = /^(?:help|help me|what can you do|what do you do|who are you|commands|\?+)$/;

/** One human line for what needs no answer from an agent; null for a question. */
export function smallTalkReply(text: string, isStaff: boolean): string | null {
  const said = text
    .toLowerCase()
    .replace(/[!.,?…:)(]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const example = isStaff ? 'why is alice-laptop slow?' : 'why is my laptop slow?';
  if (said === '') return /[?]/.test(text) || text === '' ? `Ask me something, as: ${example}` : null;
  if (GREETING.test(said)) return `Hello! Ask me about a computer, as: ${example}`;
  if (THANKS.test(said)) return 'You are welcome. I am here when something is slow.';
  if (HELP.test(said))
    return `Ask in your own words, as: ${example} Or type ${COMMAND_PREFIXES.slack} help for the commands.`;
  return null;
}
