import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visionFeatures } from './vision-contract.ts';
import { VisionRefusal } from './vision-error.ts';
import { readVisionQuery } from './vision-query.ts';

const good = { 'api-version': '2023-10-01', features: 'caption' };

function refusalOf(parameters: Parameters<typeof readVisionQuery>[0]): VisionRefusal {
  try {
    readVisionQuery(parameters);
  } catch (error) {
    assert.ok(error instanceof VisionRefusal, String(error));
    return error;
  }
  assert.fail(`${JSON.stringify(parameters)} was not refused`);
}

test('what Azure and its clients write for a caption is taken', () => {
  for (const parameters of [
    good,
    { ...good, 'api-version': '2024-02-01' },
    { ...good, features: 'Caption' },
    { ...good, features: 'caption,caption' },
    { ...good, features: ['caption', 'Caption'] },
    { ...good, features: ' caption ' },
    { ...good, language: 'en', 'model-version': 'latest' },
    { ...good, language: 'EN', 'gender-neutral-caption': 'False' },
    { ...good, 'smartcrops-aspect-ratios': '0.9,1.33', key1: 'value1', key2: ['a', 'b'] },
  ]) {
    assert.deepEqual(readVisionQuery(parameters), { genderNeutral: false }, JSON.stringify(parameters));
  }
  assert.deepEqual(readVisionQuery({ ...good, 'gender-neutral-caption': 'true' }), { genderNeutral: true });
  assert.deepEqual(readVisionQuery({ ...good, 'gender-neutral-caption': 'TRUE' }), { genderNeutral: true });
});

test('each wrong parameter has its code, and words that say what would be right', () => {
  const wrong: readonly (readonly [change: object, code: string, words: RegExp])[] = [
    [{ 'api-version': undefined }, 'MissingApiVersionParameter', /required.*'2023-10-01'/],
    [{ 'api-version': '' }, 'MissingApiVersionParameter', /required/],
    [{ 'api-version': '2023-02-01-preview' }, 'UnsupportedApiVersionValue', /'2023-02-01-preview'.*'2023-10-01'/],
    [{ 'api-version': ['2023-10-01', '2023-10-01'] }, 'BadArgument', /api-version is given 2 times/],
    [{ features: undefined }, 'BadArgument', /features=caption/],
    [{ features: '' }, 'BadArgument', /features=caption/],
    [{ features: ',' }, 'BadArgument', /features=caption/],
    [{ features: 'captions' }, 'NotSupportedVisualFeature', /'captions' is none of .*caption, denseCaptions/],
    [{ features: 'caption,' }, 'NotSupportedVisualFeature', /'' is none of/],
    [{ features: ['caption', 'cats'] }, 'NotSupportedVisualFeature', /'cats'/],
    [{ language: 'de' }, 'NotSupportedLanguage', /'en', not 'de'/],
    [{ language: '' }, 'NotSupportedLanguage', /'en', not ''/],
    [{ language: ['en', 'en'] }, 'BadArgument', /language is given 2 times/],
    [{ 'gender-neutral-caption': 'yes' }, 'BadArgument', /true or false, not 'yes'/],
    [{ 'model-version': '2023-10-01' }, 'InvalidModel', /'latest'/],
    [{ 'model-version': 'latest-preview' }, 'InvalidModel', /'latest'/],
    [{ 'model-version': 'newest' }, 'BadArgument', /'YYYY-MM-DD-preview', not 'newest'/],
  ];
  for (const [change, code, words] of wrong) {
    const refusal = refusalOf({ ...good, ...change });
    assert.equal(refusal.azure, code, JSON.stringify(change));
    assert.match(refusal.message, words);
  }
});

test('a feature that Azure has and this fleet has not is refused by its name, also beside captions', () => {
  for (const feature of visionFeatures.filter((name) => name !== 'caption')) {
    for (const features of [feature, feature.toLowerCase(), `caption,${feature}`]) {
      const refusal = refusalOf({ ...good, features });
      assert.equal(refusal.azure, 'NotSupportedVisualFeature', features);
      assert.match(refusal.message, new RegExp(`'${feature}'`));
    }
  }
});

test('a huge value is not repeated whole', () => {
  for (const name of ['api-version', 'features', 'language', 'gender-neutral-caption', 'model-version']) {
    const { message } = refusalOf({ ...good, [name]: 'x'.repeat(10_000) });
    assert.ok(message.length < 300, `${name}: ${message.length} characters`);
  }
});
