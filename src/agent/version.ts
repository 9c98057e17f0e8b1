/** The agent's own version: that of the build, which the bundler puts here. */

declare const DEXOPS_AGENT_VERSION: string | undefined;

export const AGENT_VERSION = typeof DEXOPS_AGENT_VERSION === 'string' ? DEXOPS_AGENT_VERSION : 'source';

/** Whether this is a build's bundle; a checkout is updated by whoever checked it out. */
export const IS_BUILT = typeof DEXOPS_AGENT_VERSION === 'string';
