import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { isMissing } from './model-json.ts';

/** A file of a checkpoint that is read range by range: weights are larger than the memory they may take. */
export class RangeFile implements AsyncDisposable {
  /** For messages. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #handle: FileHandle;

  private constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  /**
   * @returns undefined when the file does not exist
   * @throws MODEL_CORRUPT when it cannot be read
   */
  static async open(directory: string, name: string): Promise<RangeFile | undefined> {
    try {
      const handle = await open(join(directory, name));
      return new RangeFile(name, (await handle.stat()).size, handle);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new CaptionfleetError('MODEL_CORRUPT', `${name}: cannot be read`, { cause: error });
    }
  }

  /**
   * The bytes from `begin` up to `end`, in a buffer of their own, so that typed arrays over it are aligned.
   *
   * @throws MODEL_CORRUPT when the file does not have them
   */
  async read(begin: number, end: number): Promise<Buffer<ArrayBuffer>> {
    if (begin < 0 || end < begin || end > this.size) {
      throw this.corrupt(`has ${this.size} bytes, needs those from ${begin} to ${end}; it is truncated or damaged`);
    }
    const buffer = Buffer.from(new ArrayBuffer(end - begin));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await this.#handle
        .read(buffer, filled, buffer.length - filled, begin + filled)
        .catch((error: unknown) => {
          throw this.corrupt('cannot be read', { cause: error });
        });
      if (bytesRead === 0) throw this.corrupt('ended while it was read');
      filled += bytesRead;
    }
    return buffer;
  }

  corrupt(reason: string, options?: ErrorOptions): CaptionfleetError {
    return new CaptionfleetError('MODEL_CORRUPT', `${this.name}: ${reason}`, options);
  }

  unsupported(reason: string): CaptionfleetError {
    return new CaptionfleetError('MODEL_UNSUPPORTED', `${this.name}: ${reason}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }
}
