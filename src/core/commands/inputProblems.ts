/** What is wrong with an input, in words for whoever typed it: the validator's own are for programmers. */
import type { z } from 'zod';
import { AppError } from '../errors.ts';
import type { AnyTool } from '../tool.ts';
import { didYouMean } from './didYouMean.ts';

type Issue = z.core.$ZodIssue;

/** How the validator's own messages begin; a message that a schema gives stays as it is. */
const OWN = /^(?:Invalid |Too (?:small|big)|Unrecognized key|Invalid$)/;

const KINDS: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'yes or no',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a date',
};

const FORMATS: Record<string, string> = {
  datetime: 'a timestamp as 2026-03-02T09:00:00Z',
  date: 'a date as 2026-03-02',
  email: 'a mail address',
  url: 'an address as https://example.com',
};

/** All that is wrong, by field. */
export function badInput(tool: AnyTool, issues: readonly Issue[]): AppError {
  const fields = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(tool, issue.path, key));
    return [{ field: issue.path.join('.') || '(body)', problem: inputProblem(issue) }];
  });
  const problems = fields.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new AppError('invalid', `"${tool.title}" cannot be done with this input. ${problems}`, { fields });
}

/** A field that the tool does not have is named itself, with the ones that may have been meant. */
function unknownField(tool: AnyTool, path: readonly PropertyKey[], key: string): { field: string; problem: string } {
  const meant = path.length === 0 ? didYouMean(key, Object.keys(tool.input.shape)) : [];
  const hint = meant.length > 0 ? `; did you mean ${meant.join(' or ')}?` : '';
  return { field: [...path, key].join('.'), problem: `is unknown${hint}` };
}

/** One text that follows the field's name: `is missing`, `must be a number`. */
export function inputProblem(issue: Issue): string {
  if (!OWN.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && /received undefined/.test(issue.message)
        ? 'is missing'
        : `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return bound(issue.origin, issue.minimum, 'at least', issue.inclusive ?? true);
    case 'too_big':
      return bound(issue.origin, issue.maximum, 'at most', issue.inclusive ?? true);
    case 'unrecognized_keys':
      return `is unknown: ${issue.keys.join(', ')}`;
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'written as the description says'}`;
    case 'invalid_union':
      return unionProblem(issue);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    default:
      return 'cannot be read';
  }
}

function bound(origin: string, limit: number | bigint, how: 'at least' | 'at most', inclusive: boolean): string {
  if (origin === 'number' || origin === 'int' || origin === 'bigint')
    return `must be ${inclusive ? how : how === 'at least' ? 'more than' : 'less than'} ${limit}`;
  if (how === 'at least' && Number(limit) === 1) return 'is empty';
  const unit = origin === 'string' ? 'character' : 'entr';
  const end = origin === 'string' ? (Number(limit) === 1 ? '' : 's') : Number(limit) === 1 ? 'y' : 'ies';
  return `has ${how} ${limit} ${unit}${end}`;
}

/** Of several ways to write a value, what the one says that takes the most. */
function unionProblem({ errors }: Extract<Issue, { code: 'invalid_union' }>): string {
  const kinds = errors.flatMap((issues) => issues.slice(0, 1)).map((issue) => inputProblem(issue as Issue));
  const [first = 'cannot be read', ...others] = [...new Set(kinds)].map((text) => text.replace(/^must be /, ''));
  return kinds.every((text) => text.startsWith('must be ')) ? `must be ${[first, ...others].join(' or ')}` : first;
}
