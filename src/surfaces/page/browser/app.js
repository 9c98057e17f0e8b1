/** The page's frame: who is signed in, the views and the way between them. */
import { API, call, forgetAnswers, onSignedOut, SessionContext, useApi, useSession } from './api.js';
import { startLive, useConnection } from './live.js';
import { Toasts } from './parts/actions.js';
import { Empty, Head, Icon } from './parts/basics.js';
import { matchPath, navigate, useAddress } from './router.js';
import { html, render, useEffect, useErrorBoundary, useState } from './vendor/preact.js';
import { Add } from './views/add.js';
import { Alert, Alerts } from './views/alerts.js';
import { Approval, Approvals, Run } from './views/approvals.js';
import { Feedback } from './views/feedback.js';
import { Fleet } from './views/fleet.js';
import { Incidents } from './views/incidents.js';
import { Kpis } from './views/kpis.js';
import { MachineView } from './views/machine.js';
import { OwnMachines } from './views/own.js';
import { OwnData } from './views/ownData.js';
import { Plan } from './views/plan.js';
import { Runbook, Runbooks } from './views/runbooks.js';
import { Settings } from './views/settings.js';
import { SignIn } from './views/signIn.js';

const STAFF_VIEWS = [
  { path: '/', name: 'Fleet', icon: 'fleet', view: Fleet },
  { path: '/machines/:hostname', view: MachineView, below: '/' },
  { path: '/machines/:hostname/data', view: OwnData, below: '/' },
  { path: '/alerts', name: 'Alerts', icon: 'alerts', view: Alerts },
  { path: '/alerts/:alert_id', view: Alert, below: '/alerts' },
  { path: '/incidents', name: 'Incidents', icon: 'incidents', view: Incidents },
  { path: '/approvals', name: 'Approvals', icon: 'approvals', view: Approvals },
  { path: '/approvals/:approval_id', view: Approval, below: '/approvals' },
  { path: '/kpis', name: 'KPIs', icon: 'kpis', view: Kpis },
  { path: '/feedback', name: 'Feedback', icon: 'feedback', view: Feedback },
  { path: '/runbooks', name: 'Runbooks', icon: 'runbooks', view: Runbooks },
  { path: '/runbooks/:doc_id', view: Runbook, below: '/runbooks' },
  { path: '/add', name: 'Add machines', icon: 'add', view: Add },
  { path: '/settings', name: 'Settings', icon: 'settings', view: Settings },
  { path: '/plan', view: Plan, below: '/settings' },
  { path: '/runs/:run_id', view: Run, below: '/' },
];
/** Of those, what somebody without a role has a use for. */
const EMPLOYEE_VIEWS = [
  { path: '/', name: 'My machines', icon: 'fleet', view: OwnMachines },
  ...STAFF_VIEWS.filter(({ path }) => /^\/(machines|runbooks|settings|runs)\b/.test(path)),
];

const isStaff = ({ role }) => role !== 'employee';
const viewsOf = (actor) => (isStaff(actor) ? STAFF_VIEWS : EMPLOYEE_VIEWS);

function App() {
  const [session, setSession] = useState(null);
  const [error, setError] = useState(null);
  const read = () => {
    setError(null);
    call('GET', '/session').then(setSession, (failure) => {
      setError(failure);
      setTimeout(read, 3000);
    });
  };
  useEffect(read, []);
  useEffect(() => onSignedOut(() => setSession((before) => before && { ...before, actor: null, operations: [] })), []);
  if (!session)
    return error ? html`<main><${Empty} title="The service does not answer">${error.message}<//></main>` : null;
  if (!session.actor) return html`<${SignIn} provider=${session.provider} onSignedIn=${setSession} />`;
  return html`<${SessionContext.Provider} value=${session}><${Shell} onSignedOut=${() => {
    forgetAnswers();
    setSession({ ...session, actor: null, operations: [] });
  }} /><//>`;
}

function Shell({ onSignedOut: left }) {
  const { path } = useAddress();
  const { actor } = useSession();
  useEffect(startLive, []);
  useEffect(() => document.getElementById('title')?.focus({ preventScroll: true }), [path]);
  let shown = { entry: null, params: {} };
  for (const entry of viewsOf(actor)) {
    const params = matchPath(entry.path, path);
    if (params) shown = { entry, params };
  }
  const current = shown.entry?.below ?? shown.entry?.path;
  return html`<a class="skip button" href="#main" data-document>Skip to the content</a>
    <div class="shell">
      <div class="rail">
        <a class="brand" href="/"><img src="/page/icon.svg" alt="" />DexOps</a>
        <${Nav} current=${current} />
        <${Foot} onSignedOut=${left} />
      </div>
      <main id="main"><${Guarded} key=${path}>${
        shown.entry
          ? html`<${shown.entry.view} ...${shown.params} />`
          : html`<${Head} title="Nothing is here" /><${Empty} title=${path}>This address shows nothing to you. <a href="/">To the start</a><//>`
      }<//></main>
    </div>
    <${Toasts} />`;
}

function Nav({ current }) {
  const { actor } = useSession();
  const alerts = useApi(isStaff(actor) ? `${API}/alerts?limit=1` : null, ['alerts']);
  const approvals = useApi(isStaff(actor) ? '/api/v1/approvals?limit=1' : null, ['approvals']);
  const numbers = { '/alerts': alerts.data?.total, '/approvals': approvals.data?.total };
  return html`<nav class="nav" aria-label="Views">${viewsOf(actor)
    .filter(({ name }) => name)
    .map(
      ({
        path,
        name,
        icon,
      }) => html`<a key=${path} href=${path} aria-current=${path === current ? 'page' : undefined}><${Icon} name=${icon} />${name}
      ${numbers[path] > 0 && html`<span class=${`number ${path === '/approvals' ? 'urgent' : ''}`}>${numbers[path]}</span>`}</a>`,
    )}</nav>`;
}

const CONNECTION = { live: 'Live', connecting: 'Connecting…', lost: 'Connection lost' };

function Foot({ onSignedOut: left }) {
  const { actor, key_required, version } = useSession();
  const connection = useConnection();
  const signOut = async () => {
    await call('DELETE', '/session');
    left();
  };
  return html`<div class="rail-foot">
    <div class="line"><span class=${`live live-${connection}`} role="status">${CONNECTION[connection]}</span><${ThemeSwitch} /></div>
    <div class="line who"><span>${actor.name} (${actor.role})</span>${key_required && html`<button type="button" class="button quiet small" onClick=${signOut}>Sign out</button>`}</div>
    <div class="line version"><span>Version ${version}</span><a href="/docs" data-document>API</a></div>
  </div>`;
}

function ThemeSwitch() {
  const isDark = () =>
    document.documentElement.dataset.theme === 'dark' ||
    (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  const [dark, setDark] = useState(isDark);
  const change = () => {
    const theme = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    localStorage.setItem('dexops-theme', theme);
    setDark(isDark());
    dispatchEvent(new Event('dexops-theme'));
  };
  return html`<button type="button" class="button quiet small" aria-label=${dark ? 'Light theme' : 'Dark theme'} onClick=${change}><${Icon} name=${dark ? 'sun' : 'moon'} /></button>`;
}

/** A view that fails takes no other with it. */
function Guarded({ children }) {
  const [error, reset] = useErrorBoundary((failure) => console.error(failure));
  if (!error) return children;
  return html`<${Empty} title="This view could not be drawn">${String(error.message ?? error)} <button type="button" class="button small" onClick=${() => {
    reset();
    navigate('/');
  }}>To the fleet</button><//>`;
}

render(html`<${App} />`, document.getElementById('app'));
