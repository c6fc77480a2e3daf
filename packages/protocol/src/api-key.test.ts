import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOfKey, makeApiKey, readApiKey } from './api-key.ts';

/** What docs/reference/authentication.md gives to secret scanners. */
const scanned = /\bcap_[a-z0-9]{1,16}_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}\b/;

test('a key has the form that scanners look for, is read back, and is made once', () => {
  const keys = Array.from({ length: 1_000 }, () => makeApiKey('live'));
  for (const { id, text } of keys) {
    assert.match(`key=${text};`, scanned);
    assert.deepEqual(readApiKey(text), { id, text });
  }
  assert.equal(new Set(keys.map(({ id }) => id)).size, 1_000);
  assert.equal(new Set(keys.map((key) => digestOfKey(key).toString('hex'))).size, 1_000);
});

test('every change of one character is seen by the checksum', () => {
  const { text } = makeApiKey('test');
  for (let place = 0; place < text.length; place += 1) {
    const other = text[place] === 'a' ? 'b' : 'a';
    assert.equal(readApiKey(`${text.slice(0, place)}${other}${text.slice(place + 1)}`), undefined, String(place));
  }
});

test('what is cut off, longer, or of another form is no key', () => {
  const { text } = makeApiKey('test');
  for (const wrong of [
    '',
    'cap_',
    text.slice(0, -1),
    `${text}0`,
    ` ${text}`,
    `${text}\n`,
    text.toUpperCase(),
    text.replace('cap_', 'sk_'),
    'x'.repeat(10_000),
  ]) {
    assert.equal(readApiKey(wrong), undefined, wrong.slice(0, 100));
  }
});

test('another environment has another checksum, and one that is no word is refused', () => {
  const { text } = makeApiKey('test');
  assert.equal(readApiKey(text.replace('_test_', '_live_')), undefined);
  for (const environment of ['', 'Live', 'a_b', 'x'.repeat(17)]) assert.throws(() => makeApiKey(environment));
});
