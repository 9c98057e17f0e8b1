/** An agent's answer as people read it: whatever shape its profile asks for, as plain text. */

/** The first text stands by itself, since profiles put what matters first; the rest is named. */
export function answerText(answer: unknown): string {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return lineOf(answer);
  const [first, ...rest] = Object.entries(answer);
  if (!first) return '';
  const opening = typeof first[1] === 'string' ? first[1] : named(...first);
  return [opening, ...rest.map(([name, value]) => named(name, value))].filter(Boolean).join('\n');
}

function named(name: string, value: unknown): string {
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
  if (!Array.isArray(value)) return value === null || value === '' ? '' : `${title}: ${lineOf(value)}`;
  return value.length === 0 ? '' : [`${title}:`, ...value.map((item) => `• ${lineOf(item)}`)].join('\n');
}

function lineOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(lineOf).join(', ');
  const parts = Object.values(value).map(lineOf);
  return parts.length > 1 ? `${parts[0]} (${parts.slice(1).join(', ')})` : (parts[0] ?? '');
}
