/** What of the product a client is shown: which sets of tools, and whether answers come as JSON too. */
import { AppError } from '../src/core/errors.ts';
import { TOOLSETS, type Toolset } from '../src/core/tool.ts';

export interface McpView {
  /** Beside the tools that every client gets. */
  toolsets: readonly Toolset[] | 'all';
  /** Output schemas and structured answers, for programs; a model would read everything twice. */
  structured: boolean;
}

/** @throws AppError `invalid` that lists the sets there are */
export function readToolsets(names: readonly string[]): McpView['toolsets'] {
  const wanted = names.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  if (wanted.includes('all')) return 'all';
  const unknown = wanted.filter((name) => name !== 'default' && !isToolset(name));
  if (unknown.length > 0) {
    throw new AppError(
      'invalid',
      `There is no toolset ${unknown.join(', ').slice(0, 100)}; there are: ${TOOLSETS.join(', ')}, and all.`,
    );
  }
  return wanted.filter(isToolset);
}

/**
 * What an address asks for: `?toolsets=surveys,audit&structured=1`.
 * @param usual what one gets that asks for no toolsets
 * @throws AppError `invalid`
 */
export function readView(query: URLSearchParams, usual: McpView['toolsets']): McpView {
  const named = query.getAll('toolsets').flatMap((list) => list.split(','));
  return {
    toolsets: named.length > 0 ? readToolsets(named) : usual,
    structured: ['1', 'true', 'yes'].includes((query.get('structured') ?? '').toLowerCase()),
  };
}

function isToolset(name: string): name is Toolset {
  return (TOOLSETS as readonly string[]).includes(name);
}
