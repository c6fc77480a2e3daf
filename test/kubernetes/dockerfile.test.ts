// hadolint's verdict on infra/docker/Dockerfile. No image is built: that needs a Docker engine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pythonEnvironment, runPython } from '../support/python-environment.ts';

const dockerfile = readFileSync(new URL('../../infra/docker/Dockerfile', import.meta.url), 'utf8');

async function hadolint(text: string): Promise<string> {
  const requirements = new URL('./hadolint-requirements.txt', import.meta.url).pathname;
  const program = join(dirname(await pythonEnvironment('hadolint', requirements)), 'hadolint');
  return runPython(program, ['--no-color', '-'], { input: text });
}

test('hadolint finds nothing in the Dockerfile, and finds a base image without a version', async () => {
  assert.equal(await hadolint(dockerfile), '');
  await assert.rejects(hadolint(dockerfile.replace('node:24.21.0-bookworm-slim', 'node')), /DL3006/);
});

test('every image that runs is of a user without privileges, and says how it is asked for its health', () => {
  const targets = dockerfile.split(/^FROM /m).filter((stage) => /^\S+ AS (?:api|worker|worker-cuda|cli)\n/.test(stage));
  assert.equal(targets.length, 4);
  for (const stage of targets) {
    assert.match(stage, /^USER 1000:1000$/m);
    assert.match(stage, /^HEALTHCHECK /m);
    assert.match(stage, /^STOPSIGNAL SIGTERM$/m);
  }
});

test('every workspace of package.json is known to npm in the images', () => {
  const { workspaces } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  for (const workspace of workspaces) {
    assert.ok(dockerfile.includes(`COPY ${workspace}/package.json ${workspace}/\n`), workspace);
  }
});
