/** What Slack refuses in a message or a view, by its documented limits (docs.slack.dev/reference/block-kit); the emulator takes anything. */

const MOST_BLOCKS = { message: 50, modal: 100, home: 100 };
/** Not documented: messages whose blocks are longer, menus counted, were refused as msg_blocks_too_long. */
const MAX_BLOCKS_CHARS = 13_000;
const MAX_TEXT_CHARS = 4000;

/** Everything that is wrong with what a Web API call or a response_url was given, each with where it stands. */
export function slackProblems(method: string, body: any): string[] {
  if (/^chat\.(postMessage|update|postEphemeral)$/.test(method) || method === 'response_url') return ofMessage(body);
  if (/^chat\.(start|append|stop)Stream$/.test(method)) return ofStream(body);
  if (method === 'chat.unfurl')
    return Object.values<any>(body.unfurls).flatMap(({ blocks }) => ofBlocks(blocks, MOST_BLOCKS.message));
  if (method === 'assistant.threads.setSuggestedPrompts') return ofPrompts(body.prompts);
  if (/^views\.(open|publish|update|push)$/.test(method)) return ofView(body.view);
  return [];
}

function ofMessage({ text, blocks = [] }: any): string[] {
  const problems = ofBlocks(blocks, MOST_BLOCKS.message);
  if (typeof text !== 'string' || text.trim() === '') problems.push('no text for notifications and screen readers');
  else if (text.length > MAX_TEXT_CHARS) problems.push(`a text of ${text.length} characters`);
  const size = JSON.stringify(blocks).length;
  if (size > MAX_BLOCKS_CHARS * 1.5) problems.push(`blocks of ${size} characters`);
  const shown = textChars(blocks);
  if (shown > MAX_BLOCKS_CHARS) problems.push(`blocks with ${shown} characters of text and values`);
  return problems;
}

function ofStream({ chunks = [], blocks = [], markdown_text: markdown }: any): string[] {
  const problems = ofBlocks(blocks, MOST_BLOCKS.message);
  if ((markdown ?? '').length > 12_000) problems.push(`a stream's text of ${markdown.length} characters`);
  for (const chunk of chunks) {
    if (chunk.type === 'blocks') problems.push(...ofBlocks(chunk.blocks, MOST_BLOCKS.message));
    else if (chunk.type === 'task_update') {
      if (!chunk.id || !chunk.title || chunk.title.length > 256)
        problems.push('a task without an id or with no good title');
      if (!['pending', 'in_progress', 'complete', 'error'].includes(chunk.status)) problems.push('a task of no status');
    } else problems.push(`a chunk of kind ${chunk.type}, which this validator does not know`);
  }
  return problems;
}

function ofPrompts(prompts: any[]): string[] {
  const whole = prompts.every(({ title, message }) => title && message);
  return prompts.length < 1 || prompts.length > 4 || !whole ? [`prompts that Slack does not take`] : [];
}

function ofView(view: any): string[] {
  const problems = ofBlocks(view.blocks, view.type === 'home' ? MOST_BLOCKS.home : MOST_BLOCKS.modal);
  if (view.type === 'modal') {
    problems.push(...ofText('title', view.title, 24));
    for (const part of ['submit', 'close']) if (view[part]) problems.push(...ofText(part, view[part], 24));
    if (view.blocks.some(({ type }: any) => type === 'input') && !view.submit) problems.push('inputs without submit');
  }
  if ((view.private_metadata ?? '').length > 3000) problems.push('private_metadata is too long');
  if ((view.callback_id ?? '').length > 255) problems.push('callback_id is too long');
  return problems;
}

function ofBlocks(blocks: any[], most: number): string[] {
  const problems = blocks.length > most ? [`${blocks.length} blocks`] : [];
  const ids = blocks.flatMap(({ block_id }) => block_id ?? []);
  if (new Set(ids).size < ids.length) problems.push(`a block_id twice: ${ids}`);
  for (const [i, block] of blocks.entries())
    problems.push(...ofBlock(block).map((problem) => `block ${i} (${block.type}): ${problem}`));
  return problems;
}

function ofBlock(block: any): string[] {
  switch (block.type) {
    case 'header':
      return ofText('text', block.text, 150);
    case 'section':
      return [...ofText('text', block.text, 3000), ...(block.accessory ? ofElement(block.accessory) : [])];
    case 'context':
      return [
        ...(block.elements.length < 1 || block.elements.length > 10 ? [`${block.elements.length} elements`] : []),
        ...block.elements.flatMap((element: any) => ofText('element', element, 3000)),
      ];
    case 'actions': {
      const actionIds = block.elements.map(({ action_id }: any) => action_id);
      return [
        ...(block.elements.length < 1 || block.elements.length > 25 ? [`${block.elements.length} elements`] : []),
        ...(new Set(actionIds).size < actionIds.length ? [`an action_id twice: ${actionIds}`] : []),
        ...block.elements.flatMap(ofElement),
      ];
    }
    case 'input':
      return [
        ...ofText('label', block.label, 2000),
        ...(block.hint ? ofText('hint', block.hint, 2000) : []),
        ...ofElement(block.element),
      ];
    case 'image':
      return typeof block.alt_text === 'string' && block.alt_text !== '' && block.alt_text.length <= 2000
        ? []
        : ['no alt_text, or one that is too long'];
    case 'rich_text':
      return ofRichText(block.elements);
    case 'context_actions':
      return [
        ...(block.elements.length < 1 || block.elements.length > 5 ? [`${block.elements.length} elements`] : []),
        ...block.elements.flatMap(({ type, positive_button: yes, negative_button: no }: any) =>
          type === 'feedback_buttons' ? [...ofThumb(yes), ...ofThumb(no)] : [`an element of kind ${type}`],
        ),
      ];
    case 'divider':
      return [];
    default:
      return ['a kind of block that this validator does not know'];
  }
}

function ofThumb({ text, value, accessibility_label: label }: any): string[] {
  return [
    ...ofText('thumb', text, 75),
    ...(typeof value === 'string' && value !== '' && value.length <= 2000 ? [] : ['a thumb with no good value']),
    ...((label ?? '').length > 75 ? ['the label of a thumb is too long'] : []),
  ];
}

function ofElement(element: any): string[] {
  const problems = (element.action_id ?? '').length > 255 ? ['action_id is too long'] : [];
  if (element.type === 'button') {
    problems.push(...ofText('button', element.text, 75));
    if ((element.value ?? '').length > 2000) problems.push('a value of a button is too long');
    if (element.style !== undefined && !['primary', 'danger'].includes(element.style))
      problems.push('a style of no kind');
  }
  if (element.type === 'static_select') {
    problems.push(...ofOptions(element.options, 150));
    if (element.placeholder) problems.push(...ofText('placeholder', element.placeholder, 150));
    if (element.options.length > 100) problems.push(`${element.options.length} options`);
  }
  if (element.type === 'checkboxes') {
    problems.push(...ofOptions(element.options, 150));
    if (element.options.length > 10) problems.push(`${element.options.length} boxes`);
  }
  if (element.confirm) problems.push(...ofConfirm(element.confirm));
  return problems;
}

function ofOptions(options: any[], mostValueChars: number): string[] {
  if (options.length === 0) return ['no options'];
  return options.flatMap(({ text, value }) => [
    ...ofText('option', text, 75),
    ...(typeof value === 'string' && value.length <= mostValueChars ? [] : ['a value of an option is too long']),
  ]);
}

function ofConfirm({ title, text, confirm, deny }: any): string[] {
  return [
    ...ofText('confirm title', title, 100),
    ...ofText('confirm text', text, 300),
    ...ofText('confirm button', confirm, 30),
    ...ofText('deny button', deny, 30),
  ];
}

function ofRichText(elements: any[]): string[] {
  if (!Array.isArray(elements) || elements.length === 0) return ['an empty rich text'];
  return elements.flatMap((element): string[] => {
    if (Array.isArray(element.elements)) return ofRichText(element.elements);
    if (element.type === 'text' && element.text === '') return ['an empty text'];
    if (element.type === 'date' && !(Number.isInteger(element.timestamp) && element.fallback))
      return ['a date without a fallback'];
    return [];
  });
}

function ofText(what: string, text: any, most: number): string[] {
  if (typeof text?.text !== 'string' || text.text === '') return [`${what} is empty`];
  return text.text.length > most ? [`${what} has ${text.text.length} characters, at most ${most} are taken`] : [];
}

/** Characters of everything that a reader is shown or that is carried back. */
function textChars(node: unknown): number {
  if (Array.isArray(node)) return node.reduce((sum: number, one) => sum + textChars(one), 0);
  if (node === null || typeof node !== 'object') return 0;
  return Object.entries(node).reduce(
    (sum, [key, value]) =>
      sum + (typeof value === 'string' ? (['text', 'value'].includes(key) ? value.length : 0) : textChars(value)),
    0,
  );
}
