import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestOption } from './nearest-name.ts';

test('a misspelt option leads to the one that was meant', () => {
  const meant: Readonly<Record<string, string>> = {
    num_beam: 'num_beams',
    numBeams: 'num_beams',
    'num-beams': 'num_beams',
    max_new_token: 'max_new_tokens',
    maxLength: 'max_length',
    temprature: 'temperature',
    topk: 'top_k',
    top_n: 'top_k',
    promt: 'prompt',
    repetition_penality: 'repetition_penalty',
  };
  for (const [name, option] of Object.entries(meant)) assert.equal(nearestOption(name), option, name);
});

test('a name that is like no option leads nowhere', () => {
  for (const name of ['', 'x', 'model', 'callback_url', '__proto__', 'a'.repeat(100_000)]) {
    assert.equal(nearestOption(name), undefined, name.slice(0, 30));
  }
});
