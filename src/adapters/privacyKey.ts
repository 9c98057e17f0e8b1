/** The key of pseudonyms and backups: made once, kept in the data folder, never shown. */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../core/errors.ts';

/** 32 random bytes in hex; without it no pseudonym can be made again, and no backup of the mode be read. */
const KEY_FILE = 'privacy.key';
const KEY = /^[0-9a-f]{64}$/;

interface PrivacyKey {
  /** HMAC-SHA256 of a text. */
  mac(text: string): Uint8Array;
  /** 32 bytes for AES-256. */
  backupKey: Buffer;
}

/** The key of backups that were sealed here before, whatever the mode is now; null where there never was one. */
export function existingBackupKey(dataDir: string): Buffer | null {
  const secret = readKey(join(dataDir, KEY_FILE));
  return secret && partOf(secret, 'backups');
}

/** Several processes of one service share the file. @throws AppError `invalid` for a file that holds no key */
export function openPrivacyKey(dataDir: string): PrivacyKey {
  const file = join(dataDir, KEY_FILE);
  const secret = readKey(file) ?? makeKey(file);
  const macKey = partOf(secret, 'pseudonyms');
  return { mac: (text) => createHmac('sha256', macKey).update(text).digest(), backupKey: partOf(secret, 'backups') };
}

function partOf(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `dexops ${purpose}`, 32));
}

function readKey(file: string): Buffer | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (KEY.test(text)) return Buffer.from(text, 'hex');
  throw new AppError(
    'invalid',
    `${file} holds no key of 64 hexadecimal digits. Put back the one that was there: pseudonyms and backups depend on it.`,
  );
}

/** Whole or not at all, and never in the place of one that another process has just made. */
function makeKey(file: string): Buffer {
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(fresh, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
  return readKey(file) as Buffer;
}
