/** Reads Slack messages as a person does: the words, and the buttons with what they say when they ask again. */

/** All texts of a message's or a view's blocks, a line for each block. */
export function shown(message: any): string {
  return (message.blocks ?? []).map((block: any) => textsOf(block).join('')).join('\n');
}

function textsOf(node: any): string[] {
  if (Array.isArray(node)) return node.flatMap(textsOf);
  if (node === null || typeof node !== 'object') return [];
  return [...(typeof node.text === 'string' ? [node.text] : []), ...Object.values(node).flatMap(textsOf)];
}

export function buttons(message: any): any[] {
  return message.blocks.filter(({ type }: any) => type === 'actions').flatMap(({ elements }: any) => elements);
}

export function buttonOf(message: any, actionId: string): any {
  const found = buttons(message).find(({ action_id }) => action_id === actionId);
  if (!found) throw new Error(`no button ${actionId} among ${buttons(message).map(({ action_id }) => action_id)}`);
  return found;
}
