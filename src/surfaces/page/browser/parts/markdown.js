/** Runbooks as text with headings, lists, code and links; everything is drawn as text, so that no page holds a script. */
import { html } from '../vendor/preact.js';

const INLINE = /(`[^`]+`)|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https?:[^)\s]+)\)/g;

/** @param title left out where the text begins with it, since the view shows it already */
export function Markdown({ text, title }) {
  return blocksOf(text.replace(/^---\n[\s\S]*?\n---\n/, ''))
    .filter(({ kind, lines }, i) => !(i === 0 && kind === 'h1' && lines[0] === title))
    .map(({ kind, lines }, i) => html`<${Block} key=${i} kind=${kind} lines=${lines} />`);
}

function blocksOf(text) {
  const blocks = [];
  let code = null;
  let isOpen = false;
  for (const line of text.split('\n')) {
    if (/^\s*```/.test(line)) {
      if (code) blocks.push(code);
      code = code ? null : { kind: 'pre', lines: [] };
      isOpen = false;
      continue;
    }
    if (code) {
      code.lines.push(line);
      continue;
    }
    const [kind, rest] = kindOf(line);
    if (kind === null) isOpen = false;
    else if (isOpen && blocks.at(-1)?.kind === kind) blocks.at(-1).lines.push(rest);
    else {
      blocks.push({ kind, lines: [rest] });
      isOpen = !/^h\d$/.test(kind);
    }
  }
  if (code) blocks.push(code);
  return blocks;
}

function kindOf(line) {
  const heading = /^(#{1,4})\s+(.*)$/.exec(line);
  if (heading) return [`h${heading[1].length}`, heading[2]];
  const item = /^\s*(?:[-*]|(\d+)[.)])\s+(.*)$/.exec(line);
  if (item) return [item[1] ? 'ol' : 'ul', item[2]];
  return line.trim() === '' ? [null, ''] : ['p', line];
}

function Block({ kind, lines }) {
  if (kind === 'pre') return html`<pre tabindex="0"><code>${lines.join('\n')}</code></pre>`;
  if (kind === 'ul') return html`<ul>${lines.map((line, i) => html`<li key=${i}>${inline(line)}</li>`)}</ul>`;
  if (kind === 'ol') return html`<ol>${lines.map((line, i) => html`<li key=${i}>${inline(line)}</li>`)}</ol>`;
  if (kind === 'p') return html`<p>${inline(lines.join(' '))}</p>`;
  return kind === 'h3' || kind === 'h4' ? html`<h3>${inline(lines[0])}</h3>` : html`<h2>${inline(lines[0])}</h2>`;
}

function inline(text) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(last, match.index));
    const [whole, code, strong, label, href] = match;
    if (code) parts.push(html`<code>${code.slice(1, -1)}</code>`);
    else if (strong) parts.push(html`<strong>${strong}</strong>`);
    else parts.push(html`<a href=${href} target="_blank" rel="noreferrer">${label}</a>`);
    last = match.index + whole.length;
  }
  return [...parts, text.slice(last)];
}
