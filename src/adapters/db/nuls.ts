/** No database takes a NUL in a text, and a statement or JSON that holds one fails as a whole. */

/**
 * A JSON text without the NULs of its strings, and with a replacement character for halves of surrogate pairs, which no database takes either.
 * It is read pair by pair: an escaped backslash before "u0000" is a backslash and five letters, and stays.
 */
export function withoutNuls(json: string): string {
  if (!/\\u(0000|d[89a-f])/.test(json)) return json;
  return json.replace(/\\(?:u0000|(ud[89a-f]..)|.)/g, (pair, half) =>
    pair === '\\u0000' ? '' : half ? '\ufffd' : pair,
  );
}
