import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '@captionfleet/protocol/errors';
import { editJson } from '../../../test/support/checkpoint-files.ts';
import { readCheckpointConfig } from './checkpoint-config.ts';

const golden = new URL('../../../test/fixtures/golden/captioner/', import.meta.url).pathname;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
});
after(() => rm(scratch, { recursive: true }));

type Json = Record<string, unknown>;
type File = 'config.json' | 'preprocessor_config.json';

/** A copy of the golden configuration with one file changed. */
async function edited(file: File, edit: (json: Json) => void): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'config-'));
  for (const name of ['config.json', 'preprocessor_config.json']) await cp(join(golden, name), join(directory, name));
  await editJson(join(directory, file), edit);
  return directory;
}

const part = (json: Json, name: 'text_config' | 'vision_config'): Json => json[name] as Json;

async function refuses(file: File, edit: (json: Json) => void, message: RegExp): Promise<void> {
  const expected = { name: 'CaptionfleetError', code: 'MODEL_UNSUPPORTED' satisfies ErrorCode, message };
  await assert.rejects(readCheckpointConfig(await edited(file, edit)), expected);
}

test('the golden configuration reads as it stands in its files', async () => {
  const { text, vision, pixels } = await readCheckpointConfig(golden);
  assert.deepEqual(text, {
    ...{ vocabularySize: 3002, hiddenSize: 32, intermediateSize: 128, layers: 2, heads: 2, maxPositions: 64 },
    ...{ layerNormEpsilon: 1e-12, bosTokenId: 3000, sepTokenId: 102, padTokenId: 0, tieWordEmbeddings: true },
  });
  assert.deepEqual(vision, {
    ...{ hiddenSize: 32, intermediateSize: 128, layers: 3, heads: 2, imageSize: 128, patchSize: 16 },
    layerNormEpsilon: 1e-5,
  });
  assert.deepEqual(pixels.mean, [0.48145466, 0.4578275, 0.40821073]);
});

test('absent members take the defaults of the classes in transformers', async () => {
  const directory = await edited('config.json', (json) => {
    json['text_config'] = { num_attention_heads: 12 };
    delete json['vision_config'];
    delete json['architectures'];
  });
  await writeFile(join(directory, 'preprocessor_config.json'), '{"size": 384}');
  const { text, vision, pixels } = await readCheckpointConfig(directory);
  assert.deepEqual(text, {
    ...{ vocabularySize: 30524, hiddenSize: 768, intermediateSize: 3072, layers: 12, heads: 12, maxPositions: 512 },
    ...{ layerNormEpsilon: 1e-12, bosTokenId: 30522, sepTokenId: 102, padTokenId: 0, tieWordEmbeddings: true },
  });
  assert.deepEqual(vision, {
    ...{ hiddenSize: 768, intermediateSize: 3072, layers: 12, heads: 12, imageSize: 384, patchSize: 16 },
    layerNormEpsilon: 1e-5,
  });
  assert.equal(pixels.rescaleFactor, 1 / 255);
});

test('of the architectures the known ones are kept', async () => {
  const directory = await edited('config.json', (json) => {
    json['architectures'] = ['BlipForQuestionAnswering', 'BlipModel', 'BlipForImageTextRetrieval'];
    json['image_text_hidden_size'] = 48;
  });
  const { architectures, projectionSize } = await readCheckpointConfig(directory);
  assert.deepEqual(architectures, ['BlipForQuestionAnswering', 'BlipForImageTextRetrieval']);
  assert.equal(projectionSize, 48);
});

test('the image processor inside processor_config.json is read when it has no file of its own', async () => {
  const directory = await edited('config.json', () => undefined);
  await rm(join(directory, 'preprocessor_config.json'));
  const image_processor = { size: { height: 128, width: 128 }, image_mean: [0, 0, 0] };
  await writeFile(join(directory, 'processor_config.json'), JSON.stringify({ image_processor }));
  const { pixels, preprocessorFile } = await readCheckpointConfig(directory);
  assert.deepEqual(pixels.mean, [0, 0, 0]);
  assert.equal(preprocessorFile, 'processor_config.json');
});

const configRefusals: readonly [what: string, edit: (json: Json) => void, message: RegExp][] = [
  [
    'text heads are not given',
    (json) => delete part(json, 'text_config')['num_attention_heads'],
    /^config\.json: text_config\.num_attention_heads: must be given: .*captions wrongly/,
  ],
  [
    'the official shape has 8 text heads',
    (json) => {
      json['text_config'] = { num_attention_heads: 8 };
    },
    /text_config\.num_attention_heads: is 8, but BLIP base was trained with 12/,
  ],
  [
    'text heads do not divide the width',
    (json) => {
      part(json, 'text_config')['num_attention_heads'] = 3;
    },
    /text_config\.num_attention_heads: 3 heads do not divide hidden_size 32/,
  ],
  [
    'vision heads do not divide the width',
    (json) => {
      part(json, 'vision_config')['num_attention_heads'] = 5;
    },
    /vision_config\.num_attention_heads: 5 heads do not divide/,
  ],
  [
    'the text activation is another one',
    (json) => {
      part(json, 'text_config')['hidden_act'] = 'gelu_new';
    },
    /text_config\.hidden_act: only the exact "gelu"/,
  ],
  [
    'the vision activation is another one',
    (json) => {
      part(json, 'vision_config')['hidden_act'] = 'quick_gelu';
    },
    /vision_config\.hidden_act: only the exact "gelu"/,
  ],
  [
    'the architecture is another one',
    (json) => {
      json['architectures'] = ['BlipModel'];
    },
    /architectures: must hold one of BlipForConditionalGeneration, /,
  ],
  [
    'the model is no BLIP',
    (json) => {
      json['model_type'] = 'blip-2';
    },
    /model_type: must be "blip"/,
  ],
  [
    'a token id is outside the vocabulary',
    (json) => {
      part(json, 'text_config')['bos_token_id'] = 30522;
    },
    /text_config\.bos_token_id: 30522 is outside the vocabulary of 3002/,
  ],
  [
    'patches do not fill the image',
    (json) => {
      part(json, 'vision_config')['patch_size'] = 24;
    },
    /vision_config\.patch_size: 24 does not divide image_size 128/,
  ],
];
for (const [what, edit, message] of configRefusals) {
  test(`config.json is refused when ${what}`, () => refuses('config.json', edit, message));
}

const preprocessorRefusals: readonly [member: string, value: unknown, message: RegExp][] = [
  ['do_resize', false, /do_resize: only true/],
  ['do_rescale', false, /do_rescale: only true/],
  ['do_normalize', false, /do_normalize: only true/],
  ['do_convert_rgb', false, /do_convert_rgb: only true/],
  ['resample', 2, /resample: only 3, bicubic/],
  ['size', { shortest_edge: 128 }, /size: must be \{"height"/],
  ['size', { height: 128, width: 384 }, /size: 384x128 differs from vision_config\.image_size 128/],
  ['image_std', [1, 0, 1], /image_std: must be positive/],
  ['image_mean', [0.5], /image_mean/],
  ['image_processor_type', 'ViTImageProcessor', /image_processor_type: must be "BlipImageProcessor"/],
];
for (const [member, value, message] of preprocessorRefusals) {
  test(`preprocessor_config.json is refused when ${member} is ${JSON.stringify(value)}`, () =>
    refuses(
      'preprocessor_config.json',
      (json) => {
        json[member] = value;
      },
      new RegExp(`^preprocessor_config\\.json: .*${message.source}`),
    ));
}

test('a missing file is not found and one that is not JSON is corrupt', async () => {
  const directory = await edited('config.json', () => undefined);
  await writeFile(join(directory, 'config.json'), '{');
  await assert.rejects(readCheckpointConfig(directory), { code: 'MODEL_CORRUPT', message: 'config.json: is not JSON' });
  await rm(join(directory, 'config.json'));
  await assert.rejects(readCheckpointConfig(directory), { code: 'MODEL_NOT_FOUND', message: /has no config\.json/ });
});
