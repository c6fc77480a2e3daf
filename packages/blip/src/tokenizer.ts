import { readFile } from 'node:fs/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { Tokenizer as WordPieceTokenizer } from '@huggingface/tokenizers';
import type { ModelDirectory } from './model-directory.ts';

export interface Tokenizer {
  /** Ids of a text, without [CLS] and [SEP]. These names in the text are words like any other: a prompt ends no caption. */
  encode(text: string): readonly number[];
  /** The same between [CLS] and [SEP], as an encoder reads a text. */
  encodeFramed(text: string): readonly number[];
  /** The text of ids; special tokens, and ids that the vocabulary does not hold, give nothing. */
  decode(ids: readonly number[]): string;
}

/**
 * BERT's WordPiece as Hugging Face's tokenizers has it. Texts are joined by transformers 5's rule: no space before
 * `. ? ! ,` and before contractions' endings, spaces around every other punctuation mark.
 */
export async function openTokenizer(model: ModelDirectory): Promise<Tokenizer> {
  const name = model.manifest.tokenizer;
  const content = await readFile(model.file(name), 'utf8');
  try {
    const definition: object = name === 'vocab.txt' ? fromVocabulary(content) : JSON.parse(content);
    return wrap(
      name,
      new WordPieceTokenizer({ ...definition, added_tokens: [] }, {}),
      new WordPieceTokenizer(definition, {}),
    );
  } catch (cause) {
    if (cause instanceof CaptionfleetError) throw cause;
    throw new CaptionfleetError('MODEL_UNSUPPORTED', `${name}: not a WordPiece tokenizer`, { cause });
  }
}

/** Ideographs beyond 16 bits. Each is a word, which the library knows of the others only. */
const rareIdeographs = /[\u{20000}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

function wrap(name: string, encoder: WordPieceTokenizer, decoder: WordPieceTokenizer): Tokenizer {
  const encode = (text: string): readonly number[] =>
    encoder.encode(text.replace(rareIdeographs, ' $& '), { add_special_tokens: false }).ids;
  const idOf = (token: string): number => {
    const id = decoder.token_to_id(token);
    if (id === undefined) throw new CaptionfleetError('MODEL_UNSUPPORTED', `${name}: has no ${token}`);
    return id;
  };
  const [start, end] = [idOf('[CLS]'), idOf('[SEP]')];
  return {
    encode,
    encodeFramed: (text) => [start, ...encode(text), end],
    decode(ids) {
      const known = ids.filter((id) => decoder.id_to_token(id) !== undefined);
      // The library refuses to decode nothing.
      if (known.length === 0) return '';
      return decoder.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    },
  };
}

/** What a `tokenizer.json` of an uncased BERT says, around the pieces of its `vocab.txt`, one a line. */
function fromVocabulary(text: string): object {
  const pieces = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[DEC]', '[ENC]'].filter((token) => token in vocab);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    added_tokens: special.map((content) => ({ id: vocab[content], content, ...flags })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
