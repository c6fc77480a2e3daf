// Every overlay of infra/kubernetes against strict schemas of its kinds: by ajv everywhere, and by kubeconform where it is or can be
// built. `npm run test:kubernetes` asks a real kube-apiserver.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { announce } from '../support/containers.ts';
import {
  buildOverlay,
  kubeconform,
  type Manifest,
  overlays,
  readManifests,
  schemaDirectory,
} from '../support/manifests.ts';

const ajv = new Ajv({ strict: false, allErrors: true });

function schemaErrors(manifest: Manifest): string[] {
  const [version, group] = manifest.apiVersion.split('/').reverse();
  const name = [manifest.kind, group?.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
  const schema = ajv.getSchema(name) ?? ajv.compile({ $id: name, ...readSchema(name) });
  schema(manifest);
  return (schema.errors ?? []).map(
    ({ instancePath, message, params }) => `${manifest.kind} ${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

const readSchema = (name: string): object => JSON.parse(readFileSync(`${schemaDirectory}/${name}.json`, 'utf8'));

async function conform(tool: string, yaml: string): Promise<{ status: number | null; output: string }> {
  const location = `${schemaDirectory}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  const child = spawn(tool, ['-strict', '-summary', '-schema-location', location], { timeout: 60_000 });
  child.stdin.end(yaml);
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, output: output + errors };
}

const plantTypo = (yaml: string): string => {
  const planted = yaml.replace('readOnlyRootFilesystem: true', 'readOnlyRootFileSystem: true');
  assert.notEqual(planted, yaml);
  return planted;
};

test('ajv finds no field in any overlay that its kind has not', async () => {
  for (const overlay of overlays) {
    const manifests = readManifests(await buildOverlay(overlay));
    assert.ok(manifests.length > 20, overlay);
    assert.deepEqual(manifests.flatMap(schemaErrors), [], overlay);
  }
});

test('ajv names a field that is spelled wrong, and a value of another type', async () => {
  const yaml = plantTypo(await buildOverlay('dev')).replace('pollingInterval: 10', 'pollingInterval: soon');
  const errors = readManifests(yaml).flatMap(schemaErrors).join('\n');
  assert.match(errors, /Deployment \S+securityContext must NOT have additional properties .*readOnlyRootFileSystem/);
  assert.match(errors, /ScaledObject \/spec\/pollingInterval must be integer/);
});

test('kubeconform accepts every overlay and refuses a planted typo', async (context) => {
  const tool = await kubeconform();
  if (tool === undefined) {
    announce('no kubeconform and no Go to build it with: ajv alone has checked the overlays');
    return context.skip('neither kubeconform nor Go was found');
  }
  for (const overlay of overlays) {
    const { status, output } = await conform(tool, await buildOverlay(overlay));
    assert.equal(status, 0, `${overlay}: ${output}`);
    assert.match(output, /Valid: [2-9]\d, Invalid: 0, Errors: 0, Skipped: 0/);
  }
  const { status, output } = await conform(tool, plantTypo(await buildOverlay('dev')));
  assert.equal(status, 1);
  assert.match(output, /readOnlyRootFileSystem/);
});
