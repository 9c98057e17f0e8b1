/** What the agent wants to know of its environment; it reads nothing else of it. */

interface AgentEnvironment {
  /** The endpoint's token, which on the command line every user of the machine could see. */
  token: string | undefined;
  /** The secret of an enrolment. */
  enrolmentSecret: string | undefined;
  /** Nothing personal is measured, whatever the server says. */
  isPrivate: boolean;
}

export function agentEnvironment(env: Record<string, string | undefined>): AgentEnvironment {
  return {
    token: env.DEX_AGENT_TOKEN?.trim() || undefined,
    enrolmentSecret: env.DEX_ENROLMENT_SECRET?.trim() || undefined,
    isPrivate: env.DEX_PRIVACY?.trim() === 'pseudonymous',
  };
}
