/** Reads the arguments of a tool call as providers stream them: JSON text, or something that should have been. */

/** No tool's input is nested deeper; what is would overflow the stack of whoever walks it. */
const MAX_DEPTH = 64;

/** Empty text is how providers send a call without arguments. */
export function parseToolInput(text: string): { input: unknown; unparsedInput: string | null } {
  if (text.trim() === '') return { input: {}, unparsedInput: null };
  try {
    if (depthOf(text) > MAX_DEPTH) return { input: {}, unparsedInput: text };
    return { input: JSON.parse(text), unparsedInput: null };
  } catch {
    return { input: {}, unparsedInput: text };
  }
}

/** How deep brackets nest, those inside strings left out. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') inString = !inString;
    else if (inString) at += character === '\\' ? 1 : 0;
    else if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if (character === ']' || character === '}') depth--;
  }
  return deepest;
}
