/** Values from a JSON Schema: such as it describes, and such with something wrong in them. */
import fc from 'fast-check';

export interface Schema {
  type?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** Values that a field of this name has in the service under test, so that some calls hit what exists. */
export type Known = (field: string) => readonly unknown[];

const LONGEST_TEXT = 200;

/** Text as people and programs send it when nothing restrains them. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: LONGEST_TEXT }),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    'a\0b',
    '\ud800',
    '\u202e',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    "'; drop table alert; --",
    '{{ labels.service }}',
    '<!channel>',
    '%00',
    'NaN',
    'null',
    '-1',
    '1e309',
    '99999999999',
    '9007199254740991',
    '0001-01-01T00:00:00Z',
    '+275760-09-13T00:00:00.000Z',
    '\n'.repeat(50),
    'x'.repeat(100_000),
  ),
);

const FORMATS: Record<string, fc.Arbitrary<string>> = {
  email: fc.emailAddress(),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
  uri: fc.webUrl(),
  date: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31') })
    .map((at) => at.toISOString().slice(0, 10)),
  'date-time': fc
    .date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') })
    .map((at) => at.toISOString()),
};

/** @param field the name under which the value is given */
export function validValue(schema: Schema, known: Known, field = ''): fc.Arbitrary<unknown> {
  const made = generated(schema, known);
  const existing = known(field);
  return existing.length > 0 ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...existing) }, made) : made;
}

function generated(schema: Schema, known: Known): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return fc.oneof(...variants.map((variant) => generated(variant, known)));
  if (schema.allOf) return generated(Object.assign({}, ...schema.allOf) as Schema, known);
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({ min: Math.ceil(least(schema)), max: Math.floor(most(schema)) });
    case 'number':
      return fc.double({ min: least(schema), max: most(schema), noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(generated(schema.items ?? {}, known), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, (schema.minItems ?? 0) + 4),
      });
    case 'object':
      return object(schema, known);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ format, pattern, minLength = 0, maxLength = LONGEST_TEXT }: Schema): fc.Arbitrary<string> {
  const formatted = FORMATS[format ?? ''];
  if (formatted) return formatted;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, minLength + LONGEST_TEXT) });
}

function least({ minimum, exclusiveMinimum, type }: Schema): number {
  if (minimum !== undefined) return minimum;
  if (exclusiveMinimum !== undefined) return type === 'integer' ? exclusiveMinimum + 1 : exclusiveMinimum + 1e-9;
  return -(2 ** 31);
}

/** Nothing in a schema that says no limit keeps a caller from numbers beyond the database's. */
function most({ maximum, exclusiveMaximum, type }: Schema): number {
  if (maximum !== undefined) return maximum;
  if (exclusiveMaximum !== undefined) return type === 'integer' ? exclusiveMaximum - 1 : exclusiveMaximum - 1e-9;
  return Number.MAX_SAFE_INTEGER;
}

function object(schema: Schema, known: Known): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, validValue(inner, known, name)]),
  );
  const named = fc.record(fields, { requiredKeys: schema.required ?? [] });
  if (typeof schema.additionalProperties !== 'object') return named;
  const names = schema.propertyNames
    ? generated(schema.propertyNames, known)
    : fc.string({ minLength: 1, maxLength: 20 });
  const more = fc.dictionary(names as fc.Arbitrary<string>, generated(schema.additionalProperties, known), {
    maxKeys: 4,
  });
  return fc.tuple(named, more).map(([own, others]) => ({ ...others, ...own }));
}

/** An input with one thing wrong in it: a value of another kind, a field too many, a field too few. */
export function spoiledInput(schema: Schema, known: Known): fc.Arbitrary<Record<string, unknown>> {
  const names = Object.keys(schema.properties ?? {});
  const junk = fc.oneof(
    anyText,
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(-1, 2 ** 31, 2 ** 53, 1e300, -0.5, [], {}),
  );
  const name = names.length > 0 ? fc.oneof(fc.constantFrom(...names), anyText) : anyText;
  return fc
    .record({
      good: object({ ...schema, type: 'object' }, known),
      name,
      junk,
      how: fc.constantFrom('put', 'put', 'put', 'drop'),
    })
    .map(({ good, name, junk, how }) => {
      const { [name]: _gone, ...rest } = good;
      return how === 'drop' ? rest : Object.defineProperty(rest, name, { value: junk, enumerable: true });
    });
}
