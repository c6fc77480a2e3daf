import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { type HubClient, hubLimits, Interrupted, withTries } from './hub-client.ts';

/** A file as the hub lists it. Its name is a plain one; `bytes` and `checksum` were listed, not measured. */
export interface HubFile {
  readonly name: string;
  readonly bytes: number;
  readonly checksum: Checksum;
}

/** LFS names a file by its SHA-256, git a small one by the SHA-1 of its blob. Lower-case hexadecimal. */
export interface Checksum {
  readonly algorithm: 'sha256' | 'git-sha1';
  readonly value: string;
}

interface Download {
  readonly client: HubClient;
  /** Of the file, at a commit: the address that is asked anew at every try, for what it redirects to expires. */
  readonly url: string;
  readonly file: HubFile;
  readonly destination: string;
  /** Directory of unfinished files; on the file system of `destination`. */
  readonly partials: string;
  /** Takes how many bytes of the file are there; after a server that cannot resume, less than before. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Puts a file at `destination`, whole and with the listed checksum, or fails and leaves nothing there. A file that is
 * there and right is kept. An unfinished one is a *partial*:
 *
 *   free     `CHECKSUM.partial`: any pull may claim it, by renaming it
 *   claimed  `CHECKSUM.partial.HOST.PID.UUID`: one pull writes to it; when that fails, the partial becomes free, when its
 *            process is gone (or silent for long, on another host), the next pull claims it
 *   placed   renamed to `destination`, after its checksum was found right
 *
 * So two pulls of one file never write to the same partial: each has its own, and both place the same bytes.
 *
 * @throws MODEL_CORRUPT when the bytes differ from the checksum (they are deleted), MODEL_DOWNLOAD_FAILED, CONFIG_INVALID
 * when they cannot be written, or the signal's reason
 */
export async function downloadFile(download: Download): Promise<void> {
  const { file, destination, partials, onProgress, signal } = download;
  if (await isIntact(destination, file, signal)) {
    onProgress(file.bytes);
    return;
  }
  const partial = await onDisk(partials, () => claimPartial(partials, file.checksum.value));
  try {
    await fetchPartial(partial, download);
    if (!(await isIntact(partial, file, signal))) {
      await rm(partial, { force: true });
      const message = `${file.name}: the bytes from ${download.client.host} differ from the listed checksum; pull again`;
      throw new CaptionfleetError('MODEL_CORRUPT', message);
    }
    await onDisk(destination, async () => {
      await mkdir(dirname(destination), { recursive: true });
      await rename(partial, destination);
    });
  } catch (error) {
    await rename(partial, join(partials, freeName(file.checksum.value))).catch(() => undefined);
    throw error;
  }
}

/** Bytes of the file that need not be downloaded again, if nobody else claims them first. */
export async function bytesAtHand({
  file,
  destination,
  partials,
}: Pick<Download, 'file' | 'destination' | 'partials'>): Promise<number> {
  const present = await sizeOf(destination);
  return present === file.bytes ? present : Math.max(0, await sizeOf(join(partials, freeName(file.checksum.value))));
}

/** In bytes; -1 when nothing is there. */
const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => -1,
  );

const freeName = (checksum: string): string => `${checksum}.partial`;

/** Claims what an earlier pull left of the file, or names a new partial. The directory is made. */
async function claimPartial(partials: string, checksum: string): Promise<string> {
  await mkdir(partials, { recursive: true });
  const free = freeName(checksum);
  const claimed = join(partials, `${free}.${hostname()}.${process.pid}.${randomUUID()}`);
  for (const name of await readdir(partials)) {
    const path = join(partials, name);
    const isClaimable = name === free || (name.startsWith(`${free}.`) && (await isAbandoned(path, name)));
    if (!isClaimable) continue;
    try {
      await rename(path, claimed);
      return claimed;
    } catch {
      // Another pull was faster.
    }
  }
  return claimed;
}

/** A living claim grows or is given up within `silenceMs` and the pauses between tries. */
const abandonedMs = 10 * hubLimits.silenceMs;

async function isAbandoned(path: string, name: string): Promise<boolean> {
  const [, host, pid] = /\.partial\.(.+)\.(\d+)\.[^.]+$/.exec(name) ?? [];
  if (host === hostname()) return !isRunning(Number(pid));
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > abandonedMs;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Appends what the partial lacks, by as many requests as the connection needs. */
async function fetchPartial(partial: string, download: Download): Promise<void> {
  const { file, onProgress, signal } = download;
  await using handle = await onDisk(partial, () => open(partial, 'a+'));
  let position = (await handle.stat()).size;
  if (position > file.bytes) {
    await handle.truncate(0);
    position = 0;
  }
  const fetchRest = async (): Promise<void> => {
    const response = await requestRest(position, download);
    // Whoever answers a range with 200 sends the whole file: appended, it would be two.
    if (response.status !== 206) {
      await handle.truncate(0);
      position = 0;
    }
    for await (const chunk of response.body ?? []) {
      await onDisk(partial, () => writeAll(handle, chunk));
      position += chunk.length;
      onProgress(position);
    }
    if (position < file.bytes) throw new Interrupted(`${download.client.host} ended ${file.name} early`);
  };
  onProgress(position);
  if (position < file.bytes || file.bytes === 0) await withTries(fetchRest, { progress: () => position, signal });
}

async function requestRest(position: number, { client, url, file, signal }: Download): Promise<Response> {
  const headers: Record<string, string> = position > 0 ? { range: `bytes=${position}-` } : {};
  const response = await client.fetch(url, { headers, maxBytes: file.bytes, signal });
  const range = response.headers.get('content-range');
  if (response.status === 206 && range !== `bytes ${position}-${file.bytes - 1}/${file.bytes}`) {
    await response.body?.cancel();
    const message = `${client.host} answered a request for ${file.name} from byte ${position} with other bytes`;
    throw new CaptionfleetError('MODEL_DOWNLOAD_FAILED', message);
  }
  return response;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done)).bytesWritten;
}

/** Does something with a file; what the file system says against it becomes CONFIG_INVALID. */
export async function onDisk<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new CaptionfleetError('CONFIG_INVALID', `${path} cannot be read and written`, { cause: error });
  }
}

/** Whether a file is there with the listed size and checksum. */
async function isIntact(path: string, { bytes, checksum }: HubFile, signal: AbortSignal): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  const hash = createHash(checksum.algorithm === 'sha256' ? 'sha256' : 'sha1');
  if (checksum.algorithm === 'git-sha1') hash.update(`blob ${bytes}\0`);
  await onDisk(path, () => pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal })).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw error;
    },
  );
  return hash.digest('hex') === checksum.value;
}
