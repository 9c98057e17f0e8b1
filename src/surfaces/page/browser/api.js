/** The REST API as the page uses it: calls, what this session may call, and answers that stay current. */
import { onChanges } from './live.js';
import { createContext, useCallback, useContext, useEffect, useRef, useState } from './vendor/preact.js';

/** A burst of changes, as a fleet scan makes, is one question to the API. */
const SETTLE_MS = 400;
/** The least time between two questions of one view. */
const REST_MS = 3000;
const TRY_AGAIN_MS = 4000;
const MOST_ANSWERS = 60;

export const API = '/api/v1/dex';

/** What the API refused, or that it was not reached (status 0). */
export class ApiError extends Error {
  constructor(message, status, details) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

const signedOut = new Set();
/** Calls back when the API says that nobody is signed in any more. */
export function onSignedOut(listener) {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

/** @returns the answer's JSON. @throws ApiError with the API's own sentence */
export async function call(method, path, body) {
  const headers = { Accept: 'application/json', ...(body !== undefined && { 'Content-Type': 'application/json' }) };
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => {
    throw new ApiError('The service does not answer. It is tried again by itself.', 0);
  });
  const text = await response.text();
  const answer = text === '' ? null : parsed(text);
  if (response.ok) return answer;
  if (response.status === 401 && path !== '/session') for (const listener of signedOut) listener();
  const { message = `The service answered ${response.status}.`, details } = answer?.error ?? {};
  throw new ApiError(message, response.status, details);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Answers by path, so that going back shows at once what was there, and then what is. */
const answers = new Map();

function remember(path, data) {
  answers.delete(path);
  answers.set(path, data);
  if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value);
}

/** Nothing of one session is shown to the next. */
export function forgetAnswers() {
  answers.clear();
}

/**
 * The answer of a GET, asked again when one of its topics changes and while the service is away.
 * @param {string | null} path null asks nothing
 * @param {string[]} topics
 */
export function useApi(path, topics = []) {
  const [state, setState] = useState(() => ({ path, data: answers.get(path) ?? null, error: null }));
  const current = useRef({});
  const load = useCallback(async () => {
    if (path === null) return;
    const mine = {};
    current.current = mine;
    try {
      const data = await call('GET', path);
      remember(path, data);
      if (current.current === mine) setState({ path, data, error: null });
    } catch (error) {
      if (current.current !== mine) return;
      setState((before) => ({ path, data: before.path === path ? before.data : null, error }));
      if (error.status === 0 || error.status >= 500) setTimeout(() => current.current === mine && load(), TRY_AGAIN_MS);
    }
  }, [path]);

  useEffect(() => {
    setState((before) => (before.path === path ? before : { path, data: answers.get(path) ?? null, error: null }));
    load();
    return () => {
      current.current = {};
    };
  }, [path]);

  const wanted = topics.join();
  useEffect(() => {
    let timer = 0;
    let last = Date.now();
    const stop = onChanges((changed) => {
      if (timer !== 0 || (changed !== null && !changed.some((topic) => wanted.includes(topic)))) return;
      timer = setTimeout(
        () => {
          timer = 0;
          last = Date.now();
          load();
        },
        Math.max(SETTLE_MS, last + REST_MS - Date.now()),
      );
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [load, wanted]);

  const shown = state.path === path ? state : { data: answers.get(path) ?? null, error: null };
  return {
    data: shown.data,
    error: shown.error,
    isLoading: path !== null && shown.data === null && shown.error === null,
    reload: load,
  };
}

export const SessionContext = createContext(null);

/** Who is signed in, and whether an operation is offered to them: `can('POST', `${API}/endpoints`)`. */
export function useSession() {
  const session = useContext(SessionContext);
  return { ...session, can: (method, pattern) => session.operations.includes(`${method} ${pattern}`) };
}

export const host = (hostname) => `${API}/endpoints/${encodeURIComponent(hostname)}`;
