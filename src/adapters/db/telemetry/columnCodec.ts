/** One series of a block as bytes: numbers as differences of whole numbers, everything else by its place in a list of what occurs. */

/** A leaf of a sample: `undefined` where a sample lacks it, which is another thing than null. */
export type Leaf = number | string | boolean | null | undefined;

const SCALED = 0;
const FLOAT = 1;
const LISTED = 2;

/** Readings have few decimals; what has more is kept as a float of eight bytes. */
const MOST_DECIMALS = 6;

const ABSENT = 0;
const NULL = 1;
const PRESENT = 2;

/** Collects bytes; numbers as varints, seven bits a byte, the lowest first. */
export class ByteWriter {
  private bytes = Buffer.alloc(1024);
  private length = 0;

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** @param value a whole number from 0 to 2^53 − 1 */
  uint(value: number): this {
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
    return this;
  }

  float(value: number): this {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
    return this;
  }

  text(value: string): this {
    const length = Buffer.byteLength(value);
    this.uint(length).reserve(length);
    this.length += this.bytes.write(value, this.length);
    return this;
  }

  block(value: Buffer): this {
    this.uint(value.length).reserve(value.length);
    this.length += value.copy(this.bytes, this.length);
    return this;
  }

  done(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** Reads what a {@link ByteWriter} wrote. Throws a RangeError where the bytes end too soon. */
export class ByteReader {
  private at = 0;
  private readonly bytes: Buffer;

  /** How many bytes were read. */
  get position(): number {
    return this.at;
  }

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  uint(): number {
    const first = this.bytes[this.at] as number;
    // Most are small.
    if (first < 128) {
      this.at++;
      return first;
    }
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new RangeError('A block of samples ends too soon.');
      value += (byte & 127) * weight;
      if (byte < 128) return value;
      weight *= 128;
    }
  }

  float(): number {
    this.at += 8;
    return this.bytes.readDoubleLE(this.at - 8);
  }

  /** Passes over a block. */
  skip(): void {
    const length = this.uint();
    this.at += length;
    if (this.at > this.bytes.length) throw new RangeError('A block of samples ends too soon.');
  }

  text(): string {
    return this.block().toString('utf8');
  }

  block(): Buffer {
    const length = this.uint();
    if (this.at + length > this.bytes.length) throw new RangeError('A block of samples ends too soon.');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}

export function encodeColumn(leaves: readonly Leaf[]): Buffer {
  const writer = new ByteWriter();
  const values = leaves.filter((leaf) => leaf !== undefined && leaf !== null);
  const numbers = values.every((value) => typeof value === 'number') ? (values as number[]) : null;
  const decimals = numbers && decimalsOf(numbers);
  const kind = numbers === null ? LISTED : decimals === null ? FLOAT : SCALED;
  writer.uint(kind);
  writeStates(writer, leaves);
  if (kind === FLOAT) for (const value of values) writer.float(value as number);
  else if (kind === LISTED) writeListed(writer, values as (number | string | boolean)[]);
  else {
    writer.uint(decimals as number);
    let before = 0;
    for (const value of values) {
      const whole = Math.round((value as number) * 10 ** (decimals as number));
      const step = whole - before;
      writer.uint(step >= 0 ? step * 2 : -step * 2 - 1);
      before = whole;
    }
  }
  return writer.done();
}

/** @param count how many leaves were encoded */
export function decodeColumn(bytes: Buffer, count: number): Leaf[] {
  const reader = new ByteReader(bytes);
  const kind = reader.uint();
  const leaves = new Array<Leaf>(count).fill(undefined);
  const present = readStates(reader, leaves);
  if (kind === SCALED) readScaled(reader, leaves, present);
  else {
    const next = kind === FLOAT ? () => reader.float() : listedReader(reader);
    for (const [from, until] of present) for (let place = from; place < until; place++) leaves[place] = next();
  }
  return leaves;
}

/** The fewest decimals with which all values are exact; null when some need more than there may be, or are too large. */
function decimalsOf(values: readonly number[]): number | null {
  for (let decimals = 0; decimals <= MOST_DECIMALS; decimals++) {
    const scale = 10 ** decimals;
    if (values.every((value) => isExact(value, scale))) return decimals;
  }
  return null;
}

/** Differences of two scaled values, doubled, have to be exact as well; a negative zero is no whole number of ours. */
function isExact(value: number, scale: number): boolean {
  const whole = Math.round(value * scale);
  return Math.abs(whole) <= Number.MAX_SAFE_INTEGER / 4 && whole / scale === value && !Object.is(value, -0);
}

function readScaled(reader: ByteReader, leaves: Leaf[], present: readonly [from: number, until: number][]): void {
  const scale = 10 ** reader.uint();
  let whole = 0;
  for (const [from, until] of present) {
    for (let place = from; place < until; place++) {
      const coded = reader.uint();
      whole += coded % 2 === 0 ? coded / 2 : -(coded + 1) / 2;
      leaves[place] = whole / scale;
    }
  }
}

function writeListed(writer: ByteWriter, values: readonly (number | string | boolean)[]): void {
  const texts = values.map((value) => JSON.stringify(value));
  const places = new Map([...new Set(texts)].map((text, place) => [text, place]));
  writer.uint(places.size);
  for (const text of places.keys()) writer.text(text);
  for (const text of texts) writer.uint(places.get(text) as number);
}

function listedReader(reader: ByteReader): () => Leaf {
  const list = Array.from({ length: reader.uint() }, () => JSON.parse(reader.text()) as Leaf);
  return () => list[reader.uint()];
}

/** Which samples have the series, as runs: most have it throughout or not at all. */
function writeStates(writer: ByteWriter, leaves: readonly Leaf[]): void {
  const runs: [state: number, length: number][] = [];
  for (const leaf of leaves) {
    const state = leaf === undefined ? ABSENT : leaf === null ? NULL : PRESENT;
    const last = runs.at(-1);
    if (last?.[0] === state) last[1]++;
    else runs.push([state, 1]);
  }
  writer.uint(runs.length);
  for (const [state, length] of runs) writer.uint(length * 3 + state);
}

/** Puts the nulls in their places; returns the stretches that have values, from one place up to another. */
function readStates(reader: ByteReader, leaves: Leaf[]): [from: number, until: number][] {
  const present: [number, number][] = [];
  let place = 0;
  for (let runs = reader.uint(); runs > 0; runs--) {
    const coded = reader.uint();
    const until = place + Math.floor(coded / 3);
    if (until > leaves.length) throw new RangeError('A block of samples has more values than samples.');
    if (coded % 3 === PRESENT) present.push([place, until]);
    else if (coded % 3 === NULL) leaves.fill(null, place, until);
    place = until;
  }
  return present;
}
