/** A backup's bytes on disk: as they are, or sealed with AES-256-GCM so that only the key of the service opens them. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { AppError } from '../../../core/errors.ts';

/** First bytes of a sealed file; then a nonce, what is sealed, and the tag that proves it whole. */
const MAGIC = Buffer.from('DEXSEAL1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals what goes through it. @param key 32 bytes; null lets it through */
export function sealing(key: Buffer | null): Transform {
  if (key === null) return new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  let begun = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!begun) this.push(Buffer.concat([MAGIC, nonce]));
      begun = true;
      done(null, cipher.update(chunk));
    },
    flush(done) {
      this.push(cipher.final());
      done(null, cipher.getAuthTag());
    },
  });
}

/**
 * The bytes that were sealed, or those of a file that is not; whoever reads to the end knows that nobody changed them.
 * @throws AppError `refused` for a sealed file without its key
 */
export async function unsealed(file: string, key: Buffer | null): Promise<Readable[]> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(MAGIC.length + NONCE_BYTES);
    await handle.read(head, 0, head.length, 0);
    if (!head.subarray(0, MAGIC.length).equals(MAGIC)) return [createReadStream(file)];
    if (key === null)
      throw new AppError(
        'refused',
        `${file} is sealed. Put privacy.key of the service that made it into DATA_DIR; nobody can read it without.`,
      );
    const tag = Buffer.alloc(TAG_BYTES);
    await handle.read(tag, 0, TAG_BYTES, size - TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, head.subarray(MAGIC.length));
    decipher.setAuthTag(tag);
    return [createReadStream(file, { start: head.length, end: size - TAG_BYTES - 1 }), decipher];
  } finally {
    await handle.close();
  }
}
