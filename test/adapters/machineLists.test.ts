/** Lists of machines as people have them: separators, quotes, marks, and lines that cannot be read. */
import { describe, expect, test } from 'vitest';
import { machineLists } from '../../src/adapters/machineLists.ts';

const { read } = machineLists;
const hostnames = async (text: string) => (await read(text)).rows.map(({ line, fields }) => [line, fields.hostname]);

describe('CSV', () => {
  test.each([
    ['commas', 'hostname,os\npc-1,linux\n'],
    ['semicolons and a mark', '\uFEFFhostname;os\r\npc-1;linux\r\n'],
    ['tabs', 'hostname\tos\npc-1\tlinux'],
    ["Excel's line about the separator", 'sep=;\nhostname;os\npc-1;linux'],
    ['quotes', '"hostname","os"\n"pc-1","linux"'],
  ])('with %s', async (_what, text) => {
    const { rows, problems } = await read(text);
    expect({ rows: rows.map(({ fields }) => fields), problems }).toEqual({
      rows: [{ hostname: 'pc-1', os: 'linux' }],
      problems: [],
    });
  });

  test('keeps separators and line ends inside quotes, and counts the lines of the file', async () => {
    const { rows } = await read('hostname,tags\n\npc-1,"a=1,b=2"\npc-2,"said ""yes""\ntwice"\npc-3,\n');
    expect(rows).toEqual([
      { line: 3, fields: { hostname: 'pc-1', tags: 'a=1,b=2' } },
      { line: 4, fields: { hostname: 'pc-2', tags: 'said "yes"\ntwice' } },
      { line: 6, fields: { hostname: 'pc-3', tags: '' } },
    ]);
  });

  test('loses only the line with a broken quote', async () => {
    const text =
      'hostname,tags\npc-1,a=1\npc-2,"never closed\npc-3,b=2\npc-4,c"d"\n\npc-5,d=4\npc-6,"open\npc-7,"e"\npc-8,f=6';
    expect(await hostnames(text)).toEqual(
      [
        [2, 'pc-1'],
        [4, 'pc-3'],
        [7, 'pc-5'],
        [10, 'pc-8'],
      ].toSpliced(3, 0, [9, 'pc-7']),
    );
    expect((await read(text)).problems.map(({ line }) => line)).toEqual([3, 5, 8]);
  });

  test('reports a line with too many cells, and takes one with too few', async () => {
    expect(await read('hostname,os\npc-1,linux,,\npc-2,linux,x\npc-3')).toEqual({
      rows: [
        { line: 2, fields: { hostname: 'pc-1', os: 'linux' } },
        { line: 4, fields: { hostname: 'pc-3', os: '' } },
      ],
      problems: [{ line: 3, problem: 'it has 3 cells, and the first line names 2 columns' }],
    });
  });

  test.each([
    ['a first line that names nothing', 'pc 1,10.0.0.1\npc 2,10.0.0.2', /first line has to name the columns/],
    ['two columns of one name', 'hostname,os,os\na,b,c', /two columns named os/],
    ['no line but the first', 'hostname,os\n\n', /holds no machine/],
    ['a hundred broken quotes', `hostname\n${'"x" y\n'.repeat(102)}`, /More than 100 lines/],
    ['a web page', '<!doctype html>\n<html>', /first line has to name/],
  ])('is refused with %s', async (_what, text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });
});

describe('JSON', () => {
  test('is an array, or what a list of endpoints answers', async () => {
    expect(await hostnames('["pc-1", {"hostname": "pc-2", "owner_email": null}]')).toEqual([
      [1, 'pc-1'],
      [2, 'pc-2'],
    ]);
    expect(await hostnames('{"endpoints": [{"hostname": "pc-3"}], "total": 1}')).toEqual([[1, 'pc-3']]);
    expect((await read('[{"hostname": "pc-1"}, 7]')).problems).toHaveLength(1);
  });

  test.each([
    ['[{"hostname": "pc-1"', /looks like JSON and is none/],
    ['{"machines": []}', /an array of machines/],
  ])('%s is refused', async (text, problem) => {
    await expect(read(text)).rejects.toThrow(problem);
  });
});
