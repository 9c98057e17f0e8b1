/** What is done by a click: asked once more where it cannot be taken back, and reported in a corner when it is over. */
import { call } from '../api.js';
import { html, useEffect, useRef, useState } from '../vendor/preact.js';

const SHOWN_MS = 6000;
const toasts = new Set();
let show = () => {};
let lastId = 0;

export function toast(text, isBad = false) {
  const entry = { id: ++lastId, text, isBad };
  toasts.add(entry);
  show();
  setTimeout(() => {
    toasts.delete(entry);
    show();
  }, SHOWN_MS);
}

export function Toasts() {
  const [, tick] = useState(0);
  useEffect(() => {
    show = () => tick((n) => n + 1);
    return () => {
      show = () => {};
    };
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${[...toasts].map(({ id, text, isBad }) => html`<div key=${id} class=${isBad ? 'toast bad' : 'toast'}>${text}</div>`)}
  </div>`;
}

/**
 * A call of the API with what is said when it worked; what it refuses is shown in the API's own sentence.
 * @returns the answer, or null when it was refused
 */
export async function act(method, path, body, done) {
  try {
    const answer = await call(method, path, body);
    const text = typeof done === 'function' ? done(answer) : done;
    if (text) toast(text);
    return answer ?? {};
  } catch (error) {
    toast(error.message, true);
    return null;
  }
}

/** A button that cannot be pressed twice while its work goes on. */
export function Action({ onAct, kind = '', children, label, disabled = false }) {
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    await onAct();
    setBusy(false);
  };
  return html`<button type="button" class=${`button ${kind}`} disabled=${isBusy || disabled} aria-label=${label} onClick=${run}>${children}</button>`;
}

/**
 * A question before the deed, with a reason where one is wanted.
 * @param {{ title: string, text?: unknown, confirm: string, kind?: string, reason?: 'optional' | 'needed', children?: unknown,
 *   onConfirm(reason: string): Promise<unknown>, onClose(): void }} props
 */
export function Ask({ title, text, confirm, kind = 'primary', reason, children, onConfirm, onClose }) {
  const dialog = useRef(null);
  const [given, setGiven] = useState('');
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current.showModal();
    return () => before instanceof HTMLElement && before.focus();
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    await onConfirm(given.trim());
    onClose();
  };
  return html`<dialog ref=${dialog} aria-labelledby="ask-title" onClose=${onClose}>
    <form onSubmit=${submit}>
      <h2 id="ask-title">${title}</h2>
      ${text && html`<div class="soft">${text}</div>`}
      ${children}
      ${
        reason &&
        html`<label class="field">Reason${reason === 'optional' && html`<span class="hint">optional, for the timeline</span>`}
        <textarea class="input" required=${reason === 'needed'} maxlength="500" value=${given} onInput=${(event) => setGiven(event.target.value)} />
      </label>`
      }
      <div class="row">
        <button type="button" class="button quiet" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${`button ${kind}`} disabled=${isBusy}>${confirm}</button>
      </div>
    </form>
  </dialog>`;
}
