import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage, referencePages } from '../../scripts/reference-pages.ts';

for (const [path, write] of Object.entries(referencePages)) {
  test(`${path} says what the code says`, () => {
    assert.equal(readPage(path), write(), 'run: npm run docs');
  });
}
