/** Signing in: by the identity provider where there is one, or with an API key, which the browser keeps where no script reads it. */
import { call } from '../api.js';
import { html, useEffect, useState } from '../vendor/preact.js';

/** Why the way over the identity provider ended here again. */
const OUTCOMES = {
  denied: 'The identity provider did not let you in. Ask whoever runs it for access to DexOps.',
  refused:
    'The answer of the identity provider was not accepted. Try again; if it stays so, the log of DexOps says why.',
  unavailable: 'The identity provider does not answer. Try again in a minute, or sign in with an API key.',
  expired: 'This sign-in took too long, or was begun in another window. Try again.',
};

/** What the address says of a sign-in that failed, and the address without it. */
function outcomeInAddress() {
  const url = new URL(location.href);
  const outcome = url.searchParams.get('sign_in');
  url.searchParams.delete('sign_in');
  return { outcome, path: url.pathname + url.search };
}

export function SignIn({ provider, onSignedIn }) {
  const [{ outcome, path }] = useState(outcomeInAddress);
  const [problem, setProblem] = useState(OUTCOMES[outcome] ?? null);
  useEffect(() => {
    document.title = 'Sign in · DexOps';
    if (outcome !== null) history.replaceState(null, '', path);
  }, []);
  return html`<main class="sign-in">
    <div class="card">
      <img src="/page/icon.svg" width="44" height="44" alt="" />
      <h1>DexOps</h1>
      <p class="soft">How well computers serve the people who work on them.</p>
      ${problem && html`<div class="notice critical" role="alert">${problem}</div>`}
      ${
        provider
          ? html`<a class="button primary" href=${`/session/begin?to=${encodeURIComponent(path)}`} data-document>Sign in with ${provider}</a>
            <details><summary>With an API key</summary><${KeyForm} onSignedIn=${onSignedIn} onProblem=${setProblem} /></details>`
          : html`<${KeyForm} isOnly onSignedIn=${onSignedIn} onProblem=${setProblem} />`
      }
    </div>
  </main>`;
}

function KeyForm({ isOnly = false, onSignedIn, onProblem }) {
  const [key, setKey] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    onProblem(null);
    try {
      onSignedIn(await call('POST', '/session', { key }));
    } catch (error) {
      onProblem(error.message);
      setBusy(false);
    }
  };
  return html`<form onSubmit=${submit}>
    <label class="field">API key
      <input class="input" type="password" name="key" autocomplete="current-password" required autofocus=${isOnly} value=${key} onInput=${(event) => setKey(event.target.value)} />
      <span class="hint">The key of the configuration (API_KEY), or one that an administrator made for you.</span>
    </label>
    <button class=${isOnly ? 'button primary' : 'button'} disabled=${isBusy}>${isOnly ? 'Sign in' : 'Sign in with the key'}</button>
  </form>`;
}
