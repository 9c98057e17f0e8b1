/** Reads the arguments of a tool call as providers stream them: JSON text, or something that should have been. */

/** Empty text is how providers send a call without arguments. */
export function parseToolInput(text: string): { input: unknown; unparsedInput: string | null } {
  if (text.trim() === '') return { input: {}, unparsedInput: null };
  try {
    return { input: JSON.parse(text), unparsedInput: null };
  } catch {
    return { input: {}, unparsedInput: text };
  }
}
