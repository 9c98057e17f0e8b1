/** Marks text that came from machines, people or other systems, so that a model reads it as data. */

/**
 * Invisible characters can carry instructions that no reviewer sees: control characters but tab and line feed,
 * format characters (zero width, bidirectional overrides, the tag block) and private use.
 */
const INVISIBLE = /[\p{Cf}\p{Co}]|[^\P{Cc}\t\n]/gu;
const MARKER = /<(?=\s*\/?\s*untrusted_data)/gi;

/**
 * The text between markers that it cannot close or open itself, cut to `maxChars`.
 * `source` says where it came from and must be our own words or a tool's name.
 */
export function wrapUntrusted(source: string, text: string, maxChars: number): string {
  const clean = text.replace(/\r\n?/g, '\n').replace(INVISIBLE, '').replace(MARKER, '&lt;');
  const cut =
    clean.length > maxChars
      ? `${clean.slice(0, maxChars)}\n[cut: ${clean.length - maxChars} more characters; ask for less]`
      : clean;
  return `<untrusted_data source="${source.replace(/[^\w.:-]/g, '_')}">\n${cut}\n</untrusted_data>`;
}
