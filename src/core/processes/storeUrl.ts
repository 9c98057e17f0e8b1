/** What DATABASE_URL and RUN_QUEUE_URL name, and every mistake in them, before anything is opened. */
import { isPostgresUrl, type PostgresTarget, readPostgresUrl, unencodedPart } from './postgresUrl.ts';

type StoreTarget =
  /** `path` is null for a database in memory. */
  { kind: 'sqlite'; path: string | null } | { kind: 'postgresql'; target: PostgresTarget };

interface ReadStoreUrl {
  /** Null when the URL is of no kind that is known. */
  store: StoreTarget | null;
  mistakes: readonly string[];
}

const FORMS = 'must be sqlite:///relative/path, sqlite:////absolute/path or postgresql://user:password@host/database';

const QUEUES = ['mongodb', 'mongodb+srv', 'postgresql', 'postgres', 'redis', 'rediss'];

/** Understands `sqlite:///relative/path`, `sqlite:////absolute/path`, `sqlite://:memory:` and `postgresql://…`. */
export function readStoreUrl(url: string): ReadStoreUrl {
  if (isPostgresUrl(url)) {
    const { target, mistakes } = readPostgresUrl(url);
    return { store: { kind: 'postgresql', target }, mistakes };
  }
  const sqlite = /^sqlite:\/\/(?::memory:|\/([^?#]+))(\?.*|#.*)?$/s.exec(url);
  if (!sqlite) return { store: null, mistakes: [FORMS] };
  const [, path = null, more] = sqlite;
  const mistakes = more === undefined ? [] : ['a SQLite path takes no ? and no #: name the file alone'];
  return { store: { kind: 'sqlite', path }, mistakes };
}

/** @param url empty for a queue inside the process */
export function queueUrlMistakes(url: string): readonly string[] {
  if (url === '') return [];
  if (isPostgresUrl(url)) return readPostgresUrl(url).mistakes;
  const scheme = /^([\w+]+):\/\//.exec(url)?.[1]?.toLowerCase() ?? '';
  if (!QUEUES.includes(scheme))
    return [`must be empty or a URL that begins with ${QUEUES.map((each) => `${each}://`).join(' or ')}`];
  const unencoded = unencodedPart(url);
  if (unencoded !== null) return [unencoded];
  // Servers of MongoDB stand in a list, which the URL standard does not know.
  const single = url.replace(/,[^/@]*/, '');
  return URL.canParse(single) ? [] : ['is not a URL: its host or its port cannot be read'];
}
