import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { builderVersion } from '@captionfleet/blip/build-model';
import { type ModelDirectory, type ModelManifest, readModelDirectory } from '@captionfleet/blip/model-directory';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { createDirectory } from './create-directory.ts';
import { buildWithVariants, type VariantFlags } from './model-build.ts';
import { pinnedModel, pullModel } from './model-pull.ts';
import { startProgress } from './progress.ts';
import { demoCheckpoint, demoSamples, stateDirectory } from './state-directory.ts';

interface BuildFlags extends VariantFlags {
  readonly out: string;
  readonly id?: string | undefined;
  readonly revision?: string | undefined;
  readonly force: boolean;
}

export async function modelBuildCommand(
  checkpoint: string,
  flags: BuildFlags,
  signal: AbortSignal,
): Promise<ModelManifest> {
  return await buildWithVariants(
    {
      checkpoint: resolve(checkpoint),
      output: resolve(flags.out),
      id: flags.id ?? basename(resolve(checkpoint)),
      revision: flags.revision ?? 'local',
      force: flags.force,
    },
    flags,
    signal,
  );
}

interface PullFlags extends VariantFlags {
  readonly out?: string | undefined;
  readonly force: boolean;
}

/** Downloads a checkpoint from the hub (resuming what an earlier pull left) and builds it. Returns the directory. */
export async function modelPullCommand(
  reference: string,
  flags: PullFlags,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const [id = pinnedModel.id, revision = id === pinnedModel.id ? pinnedModel.revision : 'main'] = reference.split('@');
  const state = stateDirectory(env);
  await createDirectory(state, 'CAPTIONFLEET_HOME');
  const progress = startProgress(`pulling ${id}`, 0);
  const pulled = await pullModel({
    id,
    revision,
    cacheDirectory: join(state, 'hub'),
    endpoint: env['HF_ENDPOINT'],
    token: env['HF_TOKEN'],
    onProgress: progress.update,
    signal,
  }).finally(() => progress.stop());
  const output = resolve(
    flags.out ?? join(state, 'models', `${id.replaceAll('/', '--')}@${pulled.revision.slice(0, 12)}`),
  );
  await buildWithVariants(
    {
      checkpoint: pulled.checkpointDirectory,
      output,
      id,
      revision: pulled.revision,
      source: `${id}@${pulled.revision}`,
      force: flags.force,
    },
    flags,
    signal,
  );
  return output;
}

/**
 * Opens a model directory. A Hugging Face checkpoint is taken too: it is built once, into a directory that its content
 * names, and opened from there. Without a directory: CAPTIONFLEET_MODEL_DIR, else the demo model.
 */
export async function openModel(
  directory: string | undefined,
  signal: AbortSignal,
  env = process.env,
): Promise<ModelDirectory> {
  const chosen = resolve(directory ?? env['CAPTIONFLEET_MODEL_DIR'] ?? demoCheckpoint);
  if ((await exists(join(chosen, 'manifest.json'))) || !(await exists(join(chosen, 'config.json')))) {
    return await readModelDirectory(chosen, { signal });
  }
  const isDemo = chosen === resolve(demoCheckpoint);
  const contents = await hashDirectory(chosen, signal);
  const id = isDemo ? 'captionfleet/demo' : basename(chosen);
  const name = `${isDemo ? 'demo' : basename(chosen)}-${contents.slice(0, 12)}-${builderVersion}`;
  const output = join(stateDirectory(env), 'models', name);
  if (await exists(join(output, 'manifest.json'))) {
    try {
      return await readModelDirectory(output, { signal });
    } catch (error) {
      // What this machine built itself and is damaged now is built again.
      if (!(error instanceof CaptionfleetError) || error.code === 'CONFIG_INVALID') throw error;
      await rm(output, { recursive: true, force: true });
    }
  }
  const variants = { int8: true, ...(isDemo ? { probes: demoSamples } : {}) };
  const options = { checkpoint: chosen, output, id, revision: contents.slice(0, 12), force: false };
  await buildWithVariants(options, variants, signal);
  return await readModelDirectory(output, { signal });
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** SHA-256 over the names and bytes of the files directly in a directory. */
async function hashDirectory(directory: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(directory, { withFileTypes: true });
  for (const name of entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort()) {
    hash.update(`${name}\0`);
    await pipeline(
      createReadStream(join(directory, name)),
      async (chunks) => {
        for await (const chunk of chunks) hash.update(chunk as Buffer);
      },
      { signal },
    );
  }
  return hash.digest('hex');
}
