import { mkdir, readFile, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { type HubClient, hubLimits, openHubClient, withTries } from './hub-client.ts';
import { bytesAtHand, downloadFile, type HubFile, onDisk } from './hub-download.ts';

/** What is pulled when nothing else is said of it: the revision that the AzureML registry's model was made from. */
export const pinnedModel = {
  id: 'Salesforce/blip-image-captioning-base',
  revision: '89b09ea1789f7addf2f6d6f0dfc4ce10ab58ef84',
} as const;

/** `done` and `total` are bytes; `done` counts what an earlier pull left, and `total` grows once the weights are known. */
export interface PullProgress {
  readonly done: number;
  readonly total: number;
}

export interface PullOptions {
  /** `owner/name` on the hub. */
  readonly id: string;
  /** A branch, tag, commit, or `refs/pr/N`. */
  readonly revision: string;
  /** Keeps checkpoints by id and commit, and unfinished files. It is made. */
  readonly cacheDirectory: string;
  /** @defaultValue https://huggingface.co */
  readonly endpoint?: string | undefined;
  /** Sent to the endpoint and to no other host. */
  readonly token?: string | undefined;
  /** Milliseconds without a byte after which a request is given up and tried again. @defaultValue 30_000 */
  readonly silenceMs?: number;
  readonly onProgress: (progress: PullProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Downloads what a BLIP checkpoint needs, or finds it in the cache; every file has the checksum that the hub lists for
 * it. Pulls of the same model may run at once. An interrupted pull goes on where it stopped.
 *
 * @returns the directory and the commit that `revision` named
 * @throws MODEL_DOWNLOAD_FAILED when the hub does not give it, MODEL_UNSUPPORTED when the repository holds no BLIP
 * checkpoint, MODEL_CORRUPT for bytes that are not those listed, CONFIG_INVALID for an id, revision or endpoint that is
 * none, or a cache directory without enough room, or the signal's reason
 */
export async function pullModel(options: PullOptions): Promise<{ checkpointDirectory: string; revision: string }> {
  const { id, revision, cacheDirectory, silenceMs, onProgress } = options;
  checkName(id, revision);
  const signal = AbortSignal.any([options.signal, deadline()]);
  // An empty variable of the environment is none.
  const endpoint = options.endpoint || 'https://huggingface.co';
  const token = options.token || undefined;
  const client = openHubClient({ endpoint, token, id, revision, silenceMs });
  const { commit, files } = await withTries(() => readRepository(client, id, revision, signal), {
    progress: () => 0,
    signal,
  });

  const cache = join(cacheDirectory, id.replace('/', '--'));
  const checkpointDirectory = join(cache, commit);
  const place = (file: HubFile) => ({
    file,
    destination: join(checkpointDirectory, file.name),
    partials: join(cache, 'partials'),
    signal,
  });
  let finished = 0;
  let planned = 0;
  const fetchAll = async (chosen: readonly HubFile[]): Promise<void> => {
    planned += sumBytes(chosen);
    for (const file of chosen) {
      await downloadFile({
        ...place(file),
        client,
        url: `${client.endpoint}/${id}/resolve/${commit}/${file.name}`,
        onProgress: (bytes) => onProgress({ done: finished + bytes, total: planned }),
      });
      finished += file.bytes;
    }
  };

  const subject = `${id}@${revision}`;
  // The small files first: they say whether the large ones are worth their time.
  await fetchAll(chooseDocuments(files, subject));
  await checkModelType(checkpointDirectory, subject);
  const weights = await chooseWeights(files, subject, async (index) => {
    if (index.bytes > hubLimits.documentBytes)
      throw unsupported(subject, `has a ${index.name} of ${index.bytes} bytes`);
    await fetchAll([index]);
    return await readJson(checkpointDirectory, index.name, subject);
  });
  await checkRoom(weights.map(place), cacheDirectory);
  await fetchAll(weights);
  return { checkpointDirectory, revision: commit };
}

/** Aborts, as a failure of the download, after the longest time that a pull may take. */
function deadline(): AbortSignal {
  const controller = new AbortController();
  const hours = hubLimits.pullMs / 3_600_000;
  const reason = new CaptionfleetError('MODEL_DOWNLOAD_FAILED', `the pull took longer than ${hours} h; pull again`);
  setTimeout(() => controller.abort(reason), hubLimits.pullMs).unref();
  return controller.signal;
}

/** Both become parts of URLs and of paths. */
function checkName(id: string, revision: string): void {
  if (!/^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/.test(id)) {
    throw new CaptionfleetError('CONFIG_INVALID', `a model's id has the form owner/name, such as ${pinnedModel.id}`);
  }
  if (!/^[\w.][\w./-]{0,199}$/.test(revision)) {
    throw new CaptionfleetError('CONFIG_INVALID', `the revision of ${id} must be a branch, tag or commit`);
  }
}

type Listing = ReadonlyMap<string, HubFile>;

/** Finds the commit that the revision names, and the files at its root. */
async function readRepository(
  client: HubClient,
  id: string,
  revision: string,
  signal: AbortSignal,
): Promise<{ commit: string; files: Listing }> {
  const hub: typeof fetch = (url, init) =>
    client.fetch(String(url), { headers: init?.headers, maxBytes: hubLimits.documentBytes, signal });
  const hubUrl = client.endpoint;
  const strange = (what: string, cause?: unknown): CaptionfleetError =>
    new CaptionfleetError('MODEL_DOWNLOAD_FAILED', `${client.host} answered ${what}; is it a model hub?`, { cause });
  try {
    const { sha: commit } = await modelInfo({ name: id, revision, additionalFields: ['sha'], hubUrl, fetch: hub });
    if (!/^[0-9a-f]{40}$/.test(commit)) throw strange('without a commit');
    const files = new Map<string, HubFile>();
    // Always the commit: a branch could move between two requests.
    for await (const entry of listFiles({ repo: { type: 'model', name: id }, revision: commit, hubUrl, fetch: hub })) {
      const file = parseEntry(entry);
      if (file !== undefined) files.set(file.name, file);
      if (files.size > 10_000) throw strange('with more than 10,000 files');
    }
    return { commit, files };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError || error instanceof TypeError) throw strange('in another language', error);
    throw error;
  }
}

/** Nothing for a directory, a file within one, or an entry without what a download is checked by. */
function parseEntry({ type, path, size, oid, lfs }: ListFileEntry): HubFile | undefined {
  if (type !== 'file' || !/^[\w.-]+$/.test(path) || path.startsWith('.')) return undefined;
  const bytes = lfs?.size ?? size;
  if (!Number.isSafeInteger(bytes) || bytes < 0) return undefined;
  if (lfs !== undefined && /^[0-9a-f]{64}$/.test(lfs.oid)) {
    return { name: path, bytes, checksum: { algorithm: 'sha256', value: lfs.oid } };
  }
  if (lfs === undefined && oid !== undefined && /^[0-9a-f]{40}$/.test(oid)) {
    return { name: path, bytes, checksum: { algorithm: 'git-sha1', value: oid } };
  }
  return undefined;
}

const unsupported = (subject: string, reason: string, cause?: unknown): CaptionfleetError =>
  new CaptionfleetError('MODEL_UNSUPPORTED', `${subject} ${reason}`, { cause });

/** One file of each group is needed; all that are there are taken. */
const neededDocuments = [
  ['config.json'],
  ['preprocessor_config.json', 'processor_config.json'],
  ['tokenizer.json', 'vocab.txt'],
];
const furtherDocuments = ['tokenizer_config.json', 'special_tokens_map.json', 'generation_config.json'];

function chooseDocuments(files: Listing, subject: string): HubFile[] {
  for (const group of neededDocuments) {
    if (!group.some((name) => files.has(name))) throw unsupported(subject, `has no ${group.join(' and no ')}`);
  }
  const documents = [...neededDocuments.flat(), ...furtherDocuments].flatMap((name) => files.get(name) ?? []);
  for (const { name, bytes } of documents) {
    if (bytes > hubLimits.documentBytes) throw unsupported(subject, `has a ${name} of ${bytes} bytes`);
  }
  return documents;
}

async function checkModelType(directory: string, subject: string): Promise<void> {
  const config = await readJson(directory, 'config.json', subject);
  if (memberOf(config, 'model_type') !== 'blip') {
    throw unsupported(subject, `is not a BLIP model: model_type of its config.json must be "blip"`);
  }
}

async function readJson(directory: string, file: string, subject: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(directory, file), 'utf8'));
  } catch (error) {
    throw unsupported(subject, `has a ${file} that is not JSON`, error);
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;

/** In the order of preference; a pickle is taken as well, because the build reads it without running it. */
const weightFiles = [
  ['model.safetensors', 'model.safetensors.index.json'],
  ['pytorch_model.bin', 'pytorch_model.bin.index.json'],
] as const;

/** The one weight file, or those that an index names. */
async function chooseWeights(
  files: Listing,
  subject: string,
  readIndex: (index: HubFile) => Promise<unknown>,
): Promise<HubFile[]> {
  for (const [singleName, indexName] of weightFiles) {
    const single = files.get(singleName);
    if (single !== undefined) return [single];
    const index = files.get(indexName);
    if (index !== undefined) return chooseShards(files, subject, index, await readIndex(index));
  }
  throw unsupported(subject, `has neither ${weightFiles.map(([single]) => single).join(' nor ')}`);
}

function chooseShards(files: Listing, subject: string, { name: indexName }: HubFile, index: unknown): HubFile[] {
  const shards = new Set(Object.values(memberOf(index, 'weight_map') ?? {}));
  if (shards.size === 0) throw unsupported(subject, `has an index ${indexName} that names no file`);
  return [...shards].map((name) => {
    const shard = typeof name === 'string' ? files.get(name) : undefined;
    if (shard === undefined) throw unsupported(subject, `lacks a file that its ${indexName} names`);
    return shard;
  });
}

const sumBytes = (files: readonly HubFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

async function checkRoom(places: readonly Parameters<typeof bytesAtHand>[0][], cacheDirectory: string): Promise<void> {
  const missing = await Promise.all(places.map(async (place) => place.file.bytes - (await bytesAtHand(place))));
  const needed = missing.reduce((sum, bytes) => sum + bytes, 0);
  const { bavail, bsize } = await onDisk(cacheDirectory, async () => {
    await mkdir(cacheDirectory, { recursive: true });
    return await statfs(cacheDirectory);
  });
  const free = bavail * bsize;
  if (needed <= free) return;
  const message = `${cacheDirectory} has room for ${free} bytes; the download needs ${needed}`;
  throw new CaptionfleetError('CONFIG_INVALID', message);
}
