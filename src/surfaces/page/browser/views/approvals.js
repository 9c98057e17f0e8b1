/** Approvals: what waits for a person, with its plan; approved, or denied with a reason. */
import { API, useApi, useSession } from '../api.js';
import { count, sentence, words } from '../format.js';
import { Action, Ask, act } from '../parts/actions.js';
import { Ago, Badge, Card, Empty, Head, Loaded, Machine } from '../parts/basics.js';
import { setQuery, useAddress, withQuery } from '../router.js';
import { html, useState } from '../vendor/preact.js';

const PATH = '/api/v1/approvals';
const STATUSES = ['approved', 'denied', 'expired', 'cancelled', 'all'];

export function Approvals() {
  const { query } = useAddress();
  const answer = useApi(withQuery(PATH, { status: query.status, limit: 100 }), ['approvals']);
  const lead =
    answer.data &&
    (query.status
      ? count(answer.data.total, 'approval')
      : answer.data.total === 0
        ? 'Nothing waits for you.'
        : `${count(answer.data.total, 'decision waits', 'decisions wait')} for a person.`);
  return html`<${Head} title="Approvals" lead=${lead} />
    <div class="filters"><select class="input pick" aria-label="Status" value=${query.status ?? ''} onChange=${(event) => setQuery({ status: event.target.value })}>
      <option value="">Status: pending</option>${STATUSES.map((status) => html`<option key=${status} value=${status}>${status}</option>`)}
    </select></div>
    <${Loaded} answer=${answer}>${({ approvals }) =>
      approvals.length === 0
        ? html`<section class="card"><${Empty} title="Nothing to decide">Repairs that need a person's approval show here with their plan.<//></section>`
        : html`<div class="stack">${approvals.map((approval) => html`<${ApprovalCard} key=${approval.approval_id} approval=${approval} onDone=${answer.reload} />`)}</div>`}<//>`;
}

export function Approval({ approval_id: id }) {
  const answer = useApi(`${PATH}/${encodeURIComponent(id)}`, ['approvals']);
  return html`<${Head} title="Approval" lead=${html`<a href="/approvals">All approvals</a>`} />
    <${Loaded} answer=${answer}>${({ approval }) => html`<${ApprovalCard} approval=${approval} onDone=${answer.reload} />`}<//>`;
}

function ApprovalCard({ approval, onDone }) {
  const { actor, can } = useSession();
  const [asked, setAsked] = useState(null);
  const { approval_id, question, status, hostname, alert_id } = approval;
  const isPending = status === 'pending';
  const mayDecide = isPending && actor.approves && can('POST', `${PATH}/:approval_id/decide`);
  const decide = async (decision, reason) => {
    const said = (answer) =>
      answer.approval.status === 'pending'
        ? `Recorded. ${count(answer.approval.approvals_needed - answer.approval.answers.length, 'approval')} still needed.`
        : `It is ${answer.approval.status}.`;
    await act('POST', `${PATH}/${approval_id}/decide`, { decision, ...(reason && { reason }) }, said);
    onDone();
  };
  const dryRun = async () => {
    const said = ({ remediation }) => `The dry run of ${remediation.playbook}: ${words(remediation.status)}.`;
    await act('POST', `${API}/alerts/${alert_id}/remediate`, { dry_run: true }, said);
  };
  return html`<section class="card" aria-label=${question}>
    <div class="row"><h2 class="grow">${question}</h2><${Badge} status=${status} /></div>
    <p class="faint small">asked by ${approval.requested_by} <${Ago} at=${approval.requested_at} />${isPending && html`, expires <${Ago} at=${approval.expires_at} />`}
      ${hostname && html` · <${Machine} hostname=${hostname} />`}${alert_id !== null && html` · <a href=${`/alerts/${alert_id}`}>the alert</a>`}${approval.subject_id && html` · <a href=${`/runs/${approval.subject_id}`}>the run</a>`}</p>
    <${Plan} plan=${approval.plan} />
    ${approval.answers.length > 0 && html`<ul class="small soft">${approval.answers.map(({ name, decision, reason, at }) => html`<li key=${at}>${sentence(name)}: ${decision === 'approve' ? 'approved' : 'denied'} <${Ago} at=${at} />${reason && ` (${reason})`}</li>`)}</ul>`}
    ${approval.approvals_needed > 1 && html`<p class="small soft">${approval.answers.length} of ${approval.approvals_needed} people answered.</p>`}
    ${approval.outcome && html`<p class="soft">${approval.outcome}</p>`}
    ${
      isPending &&
      html`<div class="row more">
      ${mayDecide && html`<button type="button" class="button primary" onClick=${() => setAsked('approve')}>Approve…</button><button type="button" class="button danger" onClick=${() => setAsked('deny')}>Deny…</button>`}
      ${!mayDecide && html`<p class="faint small">${actor.kind === 'human' ? 'Your role may look; an operator decides.' : 'Only a person decides; this key is marked as a program’s.'}</p>`}
      ${alert_id !== null && can('POST', `${API}/alerts/:alert_id/remediate`) && html`<${Action} kind="quiet" onAct=${dryRun}>Dry run: change nothing<//>`}
    </div>`
    }
    ${asked === 'approve' && html`<${Ask} title="Approve this?" text=${question} confirm="Approve" reason="optional" onConfirm=${(reason) => decide('approve', reason)} onClose=${() => setAsked(null)} />`}
    ${asked === 'deny' && html`<${Ask} title="Deny this?" text="Nothing is run; a person takes over." confirm="Deny" kind="danger" reason="needed" onConfirm=${(reason) => decide('deny', reason)} onClose=${() => setAsked(null)} />`}
  </section>`;
}

/** The plan as facts; what is nested is shown as it is. */
export function Plan({ plan }) {
  const facts = Object.entries(plan).filter(
    ([, value]) => value !== null && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return html`<dl class="facts plan">${facts.map(([name, value]) => html`<div key=${name}><dt>${sentence(words(name))}</dt><dd><${Value} value=${value} /></dd></div>`)}</dl>`;
}

function Value({ value }) {
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value))
    return value.every((each) => typeof each !== 'object')
      ? value.join(', ')
      : html`<ul>${value.map((each, i) => html`<li key=${i}><${Value} value=${each} /></li>`)}</ul>`;
  return Object.entries(value).map(
    ([name, each]) =>
      html`<div key=${name}><span class="faint">${words(name)}:</span> <${Value} value=${each} /></div>`,
  );
}

/** One run, of whatever kind: where it stands and what came of it. */
export function Run({ run_id: id }) {
  const answer = useApi(`/api/v1/runs/${encodeURIComponent(id)}`, ['runs', 'machines', 'approvals']);
  return html`<${Loaded} answer=${answer}>${(run) => html`
    <${Head} title=${sentence(words(run.kind))} lead=${html`${run.hostname && html`<${Machine} hostname=${run.hostname} /> · `}asked by ${run.requested_by} <${Ago} at=${run.created_at} />`}><${Badge} status=${run.status} /><//>
    <div class="stack">
      ${run.goal && html`<section class="card" aria-label="Goal"><p>${run.goal}</p></section>`}
      ${run.error && html`<div class="notice critical">${run.error}</div>`}
      ${run.result !== null && typeof run.result === 'object' && html`<${Card} title="Result" id="result"><${Plan} plan=${run.result} /><//>`}
      ${run.steps.length > 0 && html`<${Card} title="Steps" id="steps"><ol class="stack">${run.steps.map((step, i) => html`<li key=${i}><${Value} value=${step} /></li>`)}</ol><//>`}
    </div>`}<//>`;
}
