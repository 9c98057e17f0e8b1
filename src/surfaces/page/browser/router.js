/** The address as state: which view is shown, and its filters in the query. */
import { useEffect, useState } from './vendor/preact.js';

const listeners = new Set();

function changed() {
  for (const listener of listeners) listener();
}

addEventListener('popstate', changed);

/** Links inside the page change the view without loading the document anew. */
addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="/"]') : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute('data-document')) return;
  event.preventDefault();
  navigate(link.getAttribute('href'));
});

/** @param {string} address path and query of a view */
export function navigate(address, { replace = false } = {}) {
  if (address === location.pathname + location.search) return;
  const isOtherPath = new URL(address, location.href).pathname !== location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  if (isOtherPath) scrollTo(0, 0);
  changed();
}

/** Renders anew whenever the address changes. */
export function useAddress() {
  const read = () => ({ path: location.pathname, query: Object.fromEntries(new URLSearchParams(location.search)) });
  const [address, setAddress] = useState(read);
  useEffect(() => {
    const listener = () => setAddress(read());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return address;
}

/** Changes fields of the query; null or an empty text removes one. Kept in place: filters are no steps to go back through. */
export function setQuery(fields) {
  navigate(withQuery(location.pathname, { ...Object.fromEntries(new URLSearchParams(location.search)), ...fields }), {
    replace: true,
  });
}

/** @returns {string} the path with those fields that hold something */
export function withQuery(path, fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === '' ? path : `${path}?${query}`;
}

/** @returns the parameters of a pattern such as `/machines/:hostname`, or null where the path is another one */
export function matchPath(pattern, path) {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.length !== parts.length) return null;
  const params = {};
  for (const [i, part] of wanted.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = decoded(parts[i]);
    else if (part !== parts[i]) return null;
  }
  return params;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
