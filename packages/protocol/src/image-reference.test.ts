import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageReference, ImageReferenceSchema } from './image-reference.ts';

const accepts = (value: unknown): boolean => ImageReferenceSchema.safeParse(value).success;

test('a job refers to a URL or a blob, never to bytes and never to both', () => {
  const url: ImageReference = { url: 'https://example.org/a.jpg' };
  const blob: ImageReference = { blob: { container: 'photos', name: 'a/b.jpg' } };
  assert.ok(accepts(url) && accepts(blob));
  assert.ok(!accepts({ ...url, ...blob }));
  assert.ok(!accepts({ base64: 'AAAA' }));
  assert.ok(!accepts({ url: 'file:///etc/passwd' }));
});

test('container names follow the rules of Azure', () => {
  const named = (container: string) => accepts({ blob: { container, name: 'a' } });
  assert.ok(named('abc') && named('a1-b2') && named('$root'));
  for (const bad of ['ab', 'Abc', '-abc', 'abc-', 'a--b', 'a_b', 'a/b', '../etc', 'a'.repeat(64)])
    assert.ok(!named(bad), bad);
});
