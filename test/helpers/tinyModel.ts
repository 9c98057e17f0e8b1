/** Writes a real, very small sentence model to disk: a tokenizer and an ONNX graph that looks words up in a table. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Each group of words gets one direction, so words of a group mean the same to the model. `dir` gets what
 * @huggingface/transformers expects of a model directory.
 */
export async function writeTinyModel(dir: string, groups: readonly (readonly string[])[]): Promise<void> {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const words = [...special, ...groups.flat()];
  const dimensions = groups.length + 1;
  const table = new Float32Array(words.length * dimensions);
  for (const [place, word] of words.entries()) {
    const group = groups.findIndex((members) => members.includes(word));
    table[place * dimensions + group + 1] = group < 0 ? 0.01 : 1;
  }
  const json = (name: string, value: object) => writeFile(join(dir, name), JSON.stringify(value));
  await mkdir(join(dir, 'onnx'), { recursive: true });
  await writeFile(join(dir, 'onnx', 'model_quantized.onnx'), lookupGraph(table, words.length, dimensions));
  await json('config.json', {
    model_type: 'bert',
    hidden_size: dimensions,
    vocab_size: words.length,
    architectures: ['BertModel'],
  });
  await json('tokenizer_config.json', { tokenizer_class: 'BertTokenizer', model_max_length: 512, do_lower_case: true });
  await json('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(words.map((word, place) => [word, place])),
    },
  });
}

/** ONNX: last_hidden_state = Gather(table, input_ids). The field numbers are those of onnx.proto. */
function lookupGraph(table: Float32Array, rows: number, columns: number): Buffer {
  const FLOAT = 1;
  const INT64 = 7;
  const value = (name: string, type: number, axes: readonly string[]) => {
    const shape = Buffer.concat(axes.map((axis) => message(1, text(2, axis))));
    return Buffer.concat([text(1, name), message(2, message(1, number(1, type), message(2, shape)))]);
  };
  const graph = Buffer.concat([
    message(1, text(1, 'table'), text(1, 'input_ids'), text(2, 'last_hidden_state'), text(4, 'Gather')),
    text(2, 'lookup'),
    message(
      5,
      number(1, rows),
      number(1, columns),
      number(2, FLOAT),
      text(8, 'table'),
      message(9, Buffer.from(table.buffer)),
    ),
    message(11, value('input_ids', INT64, ['batch', 'sequence'])),
    message(12, value('last_hidden_state', FLOAT, ['batch', 'sequence', 'hidden'])),
  ]);
  return Buffer.concat([number(1, 8), message(7, graph), message(8, text(1, ''), number(2, 13))]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}
function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field << 3), varint(value)]);
}
function message(field: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
}
function text(field: number, value: string): Buffer {
  return message(field, Buffer.from(value));
}
