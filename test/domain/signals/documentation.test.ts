/** The table of signals in the documentation is made from the catalogue; `vitest run test/domain/signals -u` writes it anew. */
import { expect, test } from 'vitest';
import { declarationOf, SIGNAL_NAMES, wireName } from '../../../src/domain/signals/catalogue.ts';
import { EVERY_PLATFORM, UNITS } from '../../../src/domain/signals/declaration.ts';

const INTRODUCTION = `# Signals

What DexOps measures on an employee's computer. Each signal is declared once, in the file of its topic beside this page, and listed in
\`catalogue.ts\`; the agent's wire format, storage, score and alert rules, trends and texts follow from the declaration. To add one,
declare it and let each collector that can measure it return it (\`CONTRIBUTING.md\` has the list of files).

A name is what \`config/dex_score.yaml\`, REST and the agent use. "Counts in" is the component of the score; signals marked with * are
the operations guide's, whose weight decides how much of a machine was measured. "Personal" ones tell something about the person at
the machine and are switched off by \`--no-personal\`.

| signal | unit | of each | counts in | systems | what it is | why it is collected | personal |
|---|---|---|---|---|---|---|---|
`;

test('the table in the documentation is that of the catalogue', async () => {
  const rows = SIGNAL_NAMES.map((name) => {
    const { unit, per, component, platforms, about, purpose, guide, personal } = declarationOf(name);
    const systems = platforms.length === EVERY_PLATFORM.length ? 'all' : platforms.join(', ');
    const cells = [
      `\`${wireName(name)}\`${guide ? ' *' : ''}`,
      UNITS[unit].text.trim() || 'number',
      per,
      component,
      systems,
      about,
      purpose,
      personal ? 'yes' : '',
    ];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  await expect(`${INTRODUCTION}${rows.join('\n')}\n`).toMatchFileSnapshot('../../../src/domain/signals/README.md');
});
