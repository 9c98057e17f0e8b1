/** A page that shows the local Slack as people would see it, with buttons that work: a click is signed and sent as by Slack. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { ApiCall } from '../helpers/slack.ts';
import { FILLING } from './company.ts';
import type { World } from './world.ts';

export interface SlackPage {
  url: string;
  close(): Promise<void>;
}

/** What Slack would open a form for, which this page cannot. */
const OPENS_FORM = /^(survey_rate|home_slow|asked:)/;

export async function startSlackPage(world: World, charts: () => string[]): Promise<SlackPage> {
  const server = createServer((request, response) => {
    serve(world, charts(), request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function serve(
  world: World,
  charts: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '/';
  if (request.method === 'POST' && path === '/click') {
    const form = new URLSearchParams(Buffer.concat(await request.toArray()).toString());
    const field = (name: string) => form.get(name) ?? '';
    const message = { channel: field('channel'), ts: field('ts') };
    const picked = form.has('selected') ? { selected: field('selected') } : { value: field('value') };
    await world.slack.click(world.send, field('user'), { actionId: field('action'), message, ...picked });
    response.writeHead(303, { location: '/' }).end();
    return;
  }
  const chart = charts.find((name) => path === `/charts/${name}.png`);
  if (chart) {
    response
      .writeHead(200, { 'content-type': 'image/png' })
      .end(await readFile(join(world.dir, 'charts', `${chart}.png`)));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page(world, charts));
}

function page(world: World, charts: string[]): string {
  const { slack } = world;
  const written = slack.calls.filter(({ method, answer }) => /^chat\.(postMessage|update)$/.test(method) && answer.ok);
  // As each stands now, with the place and the thread of its first version.
  const posted = written.filter(({ method }) => method === 'chat.postMessage');
  const now = (ts: string) => written.findLast(({ answer }) => answer.ts === ts)!.body;
  const message = ({ answer: { ts, channel } }: ApiCall, user: string): string => {
    const thread = posted.filter((reply) => reply.body.thread_ts === ts).map((reply) => message(reply, user));
    const blocks = (now(ts).blocks ?? []).map((block: any) => blockHtml(world, block, { channel, ts, user })).join('');
    return `<article><b>DexOps</b> <small>app</small>${blocks}${thread.length > 0 ? `<div class="thread">${thread.join('')}</div>` : ''}</article>`;
  };
  const conversation = (title: string, channel: string | undefined, user: string) => {
    const own = posted.filter(({ body }) => body.channel === channel && !body.thread_ts);
    return `<section><h2>${title}</h2>${own.map((call) => message(call, user)).join('') || '<p>Nothing yet.</p>'}</section>`;
  };
  const pictures = charts.map((name) => `<img src="/charts/${name}.png" alt="${name}">`).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>DexOps demo: Slack</title><style>${STYLE}</style>
<h1>Slack in the demo <small>a local Web API; what DexOps wrote, as it stands now. Buttons act as otto, an operator, or as ${FILLING.name}.
<a href="/">Reader again</a> · <a href="${slack.inspectorUrl}/?tab=messages">raw state</a> · <a href="${world.service.url}/docs">API</a></small></h1>
<main>${conversation('# alerts', slack.channels.alerts, 'otto')}<div>${conversation(`Direct messages of ${FILLING.name}`, slack.users[FILLING.name], FILLING.name)}
${conversation('Direct messages of otto', slack.users.otto, 'otto')}<section><h2>Charts of the API</h2>${pictures || '<p>Nothing yet.</p>'}</section></div></main></html>`;
}

interface At {
  channel: string;
  ts: string;
  user: string;
}

function blockHtml(world: World, block: any, at: At): string {
  switch (block.type) {
    case 'header':
      return `<h3>${html(block.text.text)}</h3>`;
    case 'rich_text':
      return block.elements.map((element: any) => richHtml(world, element)).join('');
    case 'section':
      return `<p>${html(block.text.text)}</p>`;
    case 'context':
      return `<p><small>${block.elements.map((element: any) => html(element.text ?? '')).join(' ')}</small></p>`;
    case 'image':
      return `<p><small>picture: ${html(block.alt_text)}</small></p>`;
    case 'actions':
      return `<div>${block.elements.map((element: any) => elementHtml(element, at)).join('')}</div>`;
    default:
      return '<hr>';
  }
}

function richHtml(world: World, { type, elements }: any): string {
  const inner = () => elements.map((element: any) => wordsHtml(world, element)).join('');
  if (type === 'rich_text_preformatted') return `<pre>${inner()}</pre>`;
  if (type === 'rich_text_list')
    return `<ul>${elements.map((item: any) => `<li>${richHtml(world, item)}</li>`).join('')}</ul>`;
  return `<p>${inner()}</p>`;
}

function wordsHtml({ slack }: World, { type, text, style, user_id, timestamp, url }: any): string {
  if (type === 'user') return `<b>@${Object.entries(slack.users).find(([, id]) => id === user_id)?.[0] ?? user_id}</b>`;
  if (type === 'date') return new Date(timestamp * 1000).toISOString().slice(0, 16).replace('T', ' ');
  const words = html(text ?? url ?? '').replaceAll('\n', '<br>');
  const bold = style?.bold ? `<b>${words}</b>` : words;
  return style?.code ? `<code>${bold}</code>` : style?.italic ? `<i>${bold}</i>` : bold;
}

function elementHtml({ type, action_id, text, value, style, options, placeholder, confirm }: any, at: At): string {
  const hidden = Object.entries({ ...at, action: action_id })
    .map(([name, of]) => `<input type="hidden" name="${name}" value="${html(of)}">`)
    .join('');
  if (type === 'static_select') {
    const choices = options
      .map((it: any) => `<option value="${html(it.value)}">${html(it.text.text)}</option>`)
      .join('');
    return `<form method="post" action="/click">${hidden}<select name="selected">${choices}</select><button>${html(placeholder.text)}</button></form>`;
  }
  const off = OPENS_FORM.test(action_id) ? 'disabled title="Slack opens a form here"' : '';
  const asks = confirm ? `onclick="return window.confirm(${html(JSON.stringify(confirm.text.text))})"` : '';
  return `<form method="post" action="/click">${hidden}<input type="hidden" name="value" value="${html(value ?? '')}"><button class="${style ?? ''}" ${off} ${asks}>${html(text.text)}</button></form>`;
}

function html(text: string): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (mark) => marks[mark]!);
}

const STYLE = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 1240px; color: #1d1c1d; }
h1 small { display: block; font-weight: normal; font-size: 14px; color: #616061; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
h2 { font-size: 17px; border-bottom: 1px solid #ddd; padding-bottom: .3rem; }
h3 { font-size: 15px; margin: .3rem 0; }
article { border-left: 4px solid #0072b2; padding: .3rem .8rem; margin: .8rem 0; background: #fafafa; }
.thread { margin-left: .6rem; font-size: 14px; } .thread article { border-color: #ccc; }
p { margin: .25rem 0; overflow-wrap: anywhere; } pre { background: #f0f0f0; padding: .4rem; } img { width: 100%; margin-bottom: .6rem; }
form { display: inline-block; margin: .2rem .3rem .2rem 0; } button, select { font: inherit; padding: .2rem .7rem; border: 1px solid #bbb; border-radius: 4px; background: white; }
.primary { background: #007a5a; color: white; } .danger { background: #c0392b; color: white; } small { color: #616061; }`;
