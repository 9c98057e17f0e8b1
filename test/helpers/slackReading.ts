/** Reads Slack messages as a person does: the words, and the buttons with what they say when they ask again. */

/** All texts of a message's or a view's blocks. */
export function shown(message: any): string {
  const texts: string[] = [];
  const walk = (node: any): void => {
    if (Array.isArray(node)) node.forEach(walk);
    else if (node && typeof node === 'object') {
      if (typeof node.text === 'string') texts.push(node.text);
      Object.values(node).forEach(walk);
    }
  };
  walk(message.blocks);
  return texts.join('');
}

export function buttons(message: any): any[] {
  return message.blocks.filter(({ type }: any) => type === 'actions').flatMap(({ elements }: any) => elements);
}

export function buttonOf(message: any, actionId: string): any {
  const found = buttons(message).find(({ action_id }) => action_id === actionId);
  if (!found) throw new Error(`no button ${actionId} among ${buttons(message).map(({ action_id }) => action_id)}`);
  return found;
}
