/** Signing in with an API key; the browser keeps it where no script reads it. */
import { call } from '../api.js';
import { html, useEffect, useState } from '../vendor/preact.js';

export function SignIn({ onSignedIn }) {
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · DexOps';
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      onSignedIn(await call('POST', '/session', { key }));
    } catch (error) {
      setProblem(error.message);
      setBusy(false);
    }
  };
  return html`<main class="sign-in">
    <form class="card" onSubmit=${submit}>
      <img src="/page/icon.svg" width="44" height="44" alt="" />
      <h1>DexOps</h1>
      <p class="soft">How well computers serve the people who work on them.</p>
      <label class="field">API key
        <input class="input" type="password" name="key" autocomplete="current-password" required autofocus value=${key} onInput=${(event) => setKey(event.target.value)} />
        <span class="hint">The key of the configuration (API_KEY), or one that an administrator made for you.</span>
      </label>
      ${problem && html`<div class="notice critical" role="alert">${problem}</div>`}
      <button class="button primary" disabled=${isBusy}>Sign in</button>
    </form>
  </main>`;
}
