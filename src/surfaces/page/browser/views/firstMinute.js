/** What a service without machines shows: how to watch the first one. */
import { API, useSession } from '../api.js';
import { Head } from '../parts/basics.js';
import { html } from '../vendor/preact.js';

export function FirstMinute() {
  const { can } = useSession();
  return html`<${Head} title="Welcome" lead="Nothing is watched yet. A minute from now it is." />
    <div class="grid two">
      <section class="card welcome" aria-labelledby="watch"><h2 id="watch">Watch a machine</h2>
        <p class="soft">Register a machine, test that it can be read, and see its first score.</p>
        ${can('POST', `${API}/endpoints`) ? html`<a class="button primary" href="/add">Add a machine</a>` : html`<p class="faint">Your role may look. An operator adds machines.</p>`}
      </section>
    </div>`;
}
