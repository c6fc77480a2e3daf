import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ExternalData } from './onnx-file.ts';

/** Tensors start on a cache line, so that a mapped file needs no copy. */
const alignment = 64;

/** The one data file that a model's graphs share. Equal bytes are written once. */
export class WeightFile implements AsyncDisposable {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #written = new Map<string, ExternalData>();
  #position = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#file = basename(path);
    this.#handle = handle;
  }

  static async create(path: string): Promise<WeightFile> {
    return new WeightFile(path, await open(path, 'wx'));
  }

  async add(bytes: Uint8Array): Promise<ExternalData> {
    const digest = createHash('sha256').update(bytes).digest('hex');
    const known = this.#written.get(digest);
    if (known !== undefined) return known;
    const offset = Math.ceil(this.#position / alignment) * alignment;
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written);
      written += bytesWritten;
    }
    this.#position = offset + bytes.length;
    const data: ExternalData = { file: this.#file, offset, length: bytes.length };
    this.#written.set(digest, data);
    return data;
  }

  /** Puts everything on the disk itself; a build is renamed into place only after this. */
  sync(): Promise<void> {
    return this.#handle.sync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }
}
