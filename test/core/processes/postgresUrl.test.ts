/** The URL of a PostgreSQL, read as libpq reads it: what is asked for happens, or is a mistake with a name. */
import { describe, expect, test } from 'vitest';
import { readPostgresUrl } from '../../../src/core/processes/postgresUrl.ts';
import { queueUrlMistakes, readStoreUrl } from '../../../src/core/processes/storeUrl.ts';

const AT = 'postgresql://dex:pw@db.example.net';
const mistakesOf = (url: string) => readPostgresUrl(url).mistakes.join('; ');

describe('what a URL names', () => {
  test.each([
    [`${AT}/dexops`, { host: 'db.example.net', port: 5432, user: 'dex', password: 'pw', database: 'dexops' }],
    [`${AT}:6432/dexops`, { port: 6432, tls: 'prefer' }],
    ['postgres://db.example.net', { host: 'db.example.net', user: null, password: null, database: null }],
    ['postgresql:///dexops', { host: 'localhost', database: 'dexops', tls: 'disable' }],
    ['postgresql://dex@/dexops?host=/run/postgresql', { host: '/run/postgresql', user: 'dex', tls: 'disable' }],
    ['postgresql://dex@%2Frun%2Fpostgresql/dexops', { host: '/run/postgresql', database: 'dexops' }],
    ['postgresql://[2001:db8::1]:5433/dexops', { host: '2001:db8::1', port: 5433 }],
    ['postgresql://dex:p%40s%2Fs%3Aw%25@h/d', { password: 'p@s/s:w%' }],
    [
      'postgresql://h/d?user=dex&password=p@ss&dbname=e&port=1',
      { user: 'dex', password: 'p@ss', database: 'e', port: 1 },
    ],
    [`${AT}/d?options=-csearch_path%3Ddex&application_name=x`, { options: '-csearch_path=dex', applicationName: 'x' }],
    [`${AT}/d?connect_timeout=3`, { connectTimeoutMs: 3000 }],
    ['postgresql://127.0.0.1/d', { tls: 'disable' }],
    [`${AT}/d?sslmode=require`, { tls: 'require' }],
    [`${AT}/d?sslmode=require&sslrootcert=/r`, { tls: 'verify-ca', rootCertFile: '/r' }],
    [`${AT}/d?sslmode=verify-full&sslcert=/c&sslkey=/k`, { tls: 'verify-full', certFile: '/c', keyFile: '/k' }],
  ])('%s', (url, named) => {
    expect(readPostgresUrl(url)).toMatchObject({ target: named, mistakes: [] });
  });
});

describe('or the start is refused by name', () => {
  test.each([
    ['sslmode=allow', 'sslmode must be one of disable, prefer, require, verify-ca, verify-full'],
    ['sslmode=no-verify', 'sslmode must be one of'],
    ['sslmode=', 'sslmode is empty'],
    ['sslmode=verify-ca', 'sslmode=verify-ca needs sslrootcert'],
    ['sslrootcert=/r', 'sslrootcert would not be used: add sslmode=verify-full'],
    ['sslmode=disable&sslcert=/c&sslkey=/k', 'sslcert and sslkey would not be used'],
    ['sslmode=verify-full&sslcert=/c', 'sslcert and sslkey belong together'],
    ['sslmode=require&sslrootcert=system', 'sslrootcert=system needs sslmode=verify-full'],
    ['sslmode=require&sslmode=disable', 'sslmode is given twice'],
    ['sslmod=require', 'sslmod is not a key that is understood: did you mean sslmode?'],
    ['ssl=true', 'ssl is not a key that is understood: write sslmode=require'],
    ['pgbouncer=true', 'pgbouncer is not a key that is understood'],
    ['schema=public', 'write options=-csearch_path%3DNAME'],
    ['channel_binding=require', 'channel_binding is not a key'],
    ['__proto__=1', '__proto__ is not a key that is understood: these are: sslmode'],
    ['connect_timeout=soon', 'connect_timeout must be a number of seconds'],
    ['client_encoding=LATIN1', 'client_encoding must be UTF8'],
    ['host=other', 'host is named twice'],
    ['port=abc', 'the port must be a number from 1 to 65535'],
    ['options=%zz', 'options has a % that does not begin an encoded character'],
  ])('?%s', (query, mistake) => {
    expect(mistakesOf(`${AT}/dexops?${query}`)).toContain(mistake);
  });

  test.each([
    ['postgresql://dex@/d?host=/run/postgresql&sslmode=require', 'not possible over a socket'],
    ['postgresql://a:1,b:2/d', 'several hosts are not supported'],
    ['postgresql://h:99999/d', 'the port must be'],
    ['postgresql://h/a/b', 'the database name has a / that is not percent-encoded'],
  ])('%s', (url, mistake) => {
    expect(mistakesOf(url)).toContain(mistake);
  });
});

describe('a password that is not percent-encoded is one of the listed mistakes, not a stack', () => {
  const [front, back] = ['s3cr', 'et9'];
  test.each(['@', '/', '?', '#', '%', ' ', '@/', '/@', '?a=b&', '%%', '#@?'])('with %s', (character) => {
    const urlWith = (middle: string) => `postgresql://dex:${front}${middle}${back}@db.example.net:5432/dexops`;
    const url = urlWith(character);
    const found = mistakesOf(url);
    expect(found).toContain('not percent-encoded');
    expect(found).not.toMatch(/s3cr|et9/);
    expect(queueUrlMistakes(url).join()).toContain('not percent-encoded');
    expect(queueUrlMistakes(url.replace('postgresql', 'redis')).join()).toContain('not percent-encoded');
    expect(mistakesOf(urlWith(encodeURIComponent(character)))).toBe('');
  });

  test('other URLs are none', () => {
    for (const url of [
      'mongodb://u:p@a:1,b:2,c/d?replicaSet=x',
      'rediss://:p%40@h:6380/0',
      'redis://h',
      'mongodb+srv://h',
    ])
      expect(queueUrlMistakes(url)).toEqual([]);
  });
});

test.each([
  ['mysql://h/d', 'must be sqlite:///relative/path'],
  ['sqlite://data.db', 'must be sqlite:///'],
  ['sqlite:///data.db?mode=ro', 'a SQLite path takes no ?'],
])('a store of %s', (url, mistake) => {
  expect(readStoreUrl(url).mistakes.join()).toContain(mistake);
});
