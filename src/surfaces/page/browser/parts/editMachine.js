/** What is registered about a machine, to be changed. */
import { host } from '../api.js';
import { html, useState } from '../vendor/preact.js';
import { Ask, act } from './actions.js';

export const PERSONAS = ['general', 'developer', 'tech', 'salesperson', 'executive'];

export function EditMachine({ machine, onDone, onClose }) {
  const [owner, setOwner] = useState(machine.owner_email ?? '');
  const [persona, setPersona] = useState(machine.persona);
  const [tier, setTier] = useState(machine.criticality_tier);
  const [address, setAddress] = useState(machine.ip_address ?? '');
  const save = async () => {
    const body = {
      owner_email: owner.trim() || null,
      persona,
      criticality_tier: Number(tier),
      ip_address: address.trim() || null,
    };
    if (await act('PATCH', host(machine.hostname), body, 'Saved.')) onDone();
  };
  return html`<${Ask} title=${`Change ${machine.hostname}`} confirm="Save" onConfirm=${save} onClose=${onClose}>
    <label class="field">Owner's mail address<input class="input" type="email" value=${owner} onInput=${(event) => setOwner(event.target.value)} /></label>
    <label class="field">Persona<select class="input" value=${persona} onChange=${(event) => setPersona(event.target.value)}>${PERSONAS.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select></label>
    <label class="field">Tier<select class="input" value=${tier} onChange=${(event) => setTier(event.target.value)}>
      <option value="1">1: critical</option><option value="2">2: standard</option><option value="3">3: low priority</option></select></label>
    <label class="field">Address<input class="input" value=${address} onInput=${(event) => setAddress(event.target.value)} /><span class="hint">Where it is reached when its name does not resolve</span></label>
  <//>`;
}
