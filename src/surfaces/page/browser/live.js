/** Live updates: what changed comes by server-sent events, and views that show it ask the API again. */
import { useEffect, useState } from './vendor/preact.js';

/** Each tab would hold one of the six connections that a browser opens to a host, so hidden ones let go. */
const HIDE_AFTER_MS = 30_000;
const TRY_AGAIN_MS = 3000;

const listeners = new Set();
const watchers = new Set();
let source = null;
let isConnected = false;
let wasLost = false;
let retry = 0;

function setState(connected) {
  const cameBack = connected && wasLost;
  isConnected = connected;
  wasLost = connected ? false : wasLost || source !== null;
  for (const watcher of watchers) watcher();
  if (cameBack) publish(null);
}

/** @param {string[] | null} topics null for everything */
function publish(topics) {
  for (const listener of listeners) listener(topics);
}

function connect() {
  if (source || document.hidden) return;
  source = new EventSource('/changes');
  source.addEventListener('hello', () => setState(true));
  source.addEventListener('changed', (event) => publish(JSON.parse(event.data)));
  source.addEventListener('error', () => {
    setState(false);
    // After an answer that is no stream the browser does not try again by itself.
    if (source?.readyState !== EventSource.CLOSED) return;
    disconnect();
    clearTimeout(retry);
    retry = setTimeout(connect, TRY_AGAIN_MS);
  });
}

function disconnect() {
  source?.close();
  source = null;
}

/** Starts listening; called once somebody is signed in. */
export function startLive() {
  connect();
  let hiding = 0;
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiding);
    if (document.hidden) {
      hiding = setTimeout(disconnect, HIDE_AFTER_MS);
      return;
    }
    if (source === null) {
      connect();
      publish(null);
    }
  });
}

/** Calls back with the topics that changed; null when anything may have. */
export function onChanges(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the connection stands: `live`, `connecting` at first, `lost` after it broke. */
export function useConnection() {
  const read = () => (isConnected ? 'live' : wasLost ? 'lost' : 'connecting');
  const [state, setOwn] = useState(read);
  useEffect(() => {
    const watcher = () => setOwn(read());
    watchers.add(watcher);
    watcher();
    return () => watchers.delete(watcher);
  }, []);
  return state;
}
