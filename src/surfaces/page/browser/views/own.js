/** What somebody without a role sees first: their own machines. */
import { API, useApi, useSession } from '../api.js';
import { Ago, Empty, Head, Loaded, ScoreBadge, ScoreRing } from '../parts/basics.js';
import { html } from '../vendor/preact.js';

export function OwnMachines() {
  const { actor } = useSession();
  const answer = useApi(actor.email && `${API}/endpoints?owner_email=${encodeURIComponent(actor.email)}`, ['machines']);
  return html`<${Head} title="My machines" lead="How well your computers serve you." />
    ${
      actor.email
        ? html`<${Loaded} answer=${answer}>${({ endpoints }) =>
            endpoints.length === 0
              ? html`<${Empty} title="No machine is registered as yours">Ask IT to register it under ${actor.email}.<//>`
              : html`<div class="grid two">${endpoints.map((machine) => html`<${OwnMachine} key=${machine.hostname} machine=${machine} />`)}</div>`}<//>`
        : html`<${Empty} title="Nobody vouches for your mail address">Machines are found by it. Ask IT to have the identity provider verify it, and that it is yours alone.<//>`
    }
    <p class="faint small more">You see more once IT gives a group of yours a role.</p>`;
}

function OwnMachine({ machine }) {
  const { hostname, score, score_status, last_seen_at } = machine;
  return html`<a class="card own-machine" href=${`/machines/${encodeURIComponent(hostname)}`}>
    <${ScoreRing} score=${score} status=${score_status} size=${72} />
    <span class="grow"><strong class="host">${hostname}</strong><span class="row"><${ScoreBadge} status=${score_status} score=${score} /></span><span class="faint small">seen <${Ago} at=${last_seen_at} /></span></span>
  </a>`;
}
