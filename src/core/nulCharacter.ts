/** Finds the one character that no database keeps in a text. */

/** The path of the first field that holds a NUL, dots between its parts; null when none does. */
export function pathOfNul(value: unknown, path: readonly string[] = []): string | null {
  if (typeof value === 'string') return value.includes('\0') ? path.join('.') : null;
  if (value === null || typeof value !== 'object' || value instanceof Date) return null;
  for (const [name, inner] of Object.entries(value)) {
    const found = name.includes('\0') ? path.join('.') : pathOfNul(inner, [...path, name]);
    if (found !== null) return found;
  }
  return null;
}
