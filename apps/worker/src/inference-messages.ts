import type { PreparedVariant } from '@captionfleet/blip/prepared-model';
import type { ErrorReport } from '@captionfleet/protocol/errors';
import type { ImageOutcome, ModelIdentity } from '@captionfleet/protocol/image-outcome';
import type { ImageReference } from '@captionfleet/protocol/image-reference';
import type { ModelTask, Task } from '@captionfleet/protocol/task';
import type { TaskResult } from '@captionfleet/protocol/task-result';
import type { BlobAccount } from '@captionfleet/storage/blob-store';

/**
 * The words between the worker's main process, an inference process, and that process's inference thread:
 *
 * main ── start, batch, cancel, quarantine ──► process ── group ──► thread
 * main ◄── ready | refused, fetched, late, settled | dropped ── process ◄── opened | refused, ran ── thread
 *
 * `imageId` numbers the images that one main process ever handed out: it is never used twice.
 */

/** What an inference process works with. It comes over the channel: an argument would show the storage key to `ps`. */
export interface InferenceSettings {
  readonly modelDirectory: string;
  /** Absent: the model's fp32 graphs are loaded as they are. */
  readonly prepared?: PreparedVariant | undefined;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
  /** Absent: images come from URLs only. */
  readonly blobs?: (BlobAccount & { readonly container: string }) | undefined;
  readonly imageContainers: readonly string[];
  readonly allowPrivateHosts: readonly string[];
}

/** The model of an inference process, and what it can do. */
export interface LoadedModel {
  readonly identity: ModelIdentity;
  readonly tasks: readonly ModelTask[];
}

export interface BatchImage {
  readonly imageId: number;
  readonly source: ImageReference;
  readonly task: Task;
}

/** When the stages of an image began and ended, in milliseconds since the epoch: [start, end]. Without those it did not reach. */
export interface ImageTimes {
  readonly fetch: readonly [number, number];
  readonly preprocess?: readonly [number, number];
  /** The run that it was part of, under an id that no other run on this machine has. */
  readonly run?: { readonly id: string; readonly images: number; readonly startedAt: number; readonly endedAt: number };
}

export type ToProcess =
  | { readonly type: 'start'; readonly settings: InferenceSettings; readonly quarantined: readonly string[] }
  | { readonly type: 'batch'; readonly images: readonly BatchImage[] }
  /** Nobody waits for this image any more: it may be left out. */
  | { readonly type: 'cancel'; readonly imageId: number }
  /** Bytes with this SHA-256 are not decoded any more. */
  | { readonly type: 'quarantine'; readonly sha256: string };

export type FromProcess =
  | { readonly type: 'ready'; readonly model: LoadedModel }
  /** The model cannot be loaded: trying again would not help. */
  | { readonly type: 'refused'; readonly error: ErrorReport }
  /** The bytes of the image are here and nothing native has seen them yet. */
  | { readonly type: 'fetched'; readonly imageId: number; readonly sha256: string }
  /** The rest of their batch runs without these images, which take longer to arrive. */
  | { readonly type: 'late'; readonly imageIds: readonly number[] }
  /** The image was cancelled, and left out. */
  | { readonly type: 'dropped'; readonly imageId: number }
  /** What became of the image. Each image of a batch is settled once, or dropped, unless the process ends before. */
  | {
      readonly type: 'settled';
      readonly imageId: number;
      readonly outcome: ImageOutcome;
      /** Absent when its bytes did not arrive. */
      readonly times?: ImageTimes;
    };

export type ThreadSettings = Pick<InferenceSettings, 'modelDirectory' | 'prepared' | 'threads'>;

export interface GroupItem {
  /** RGB bytes [side, side, 3], transferred. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly task: Task;
}

/** Items run together; groups run in the order in which they come. */
export interface ToThread {
  readonly groupId: number;
  readonly items: readonly GroupItem[];
}

export type GroupAnswer = (TaskResult & { readonly inferenceMs: number }) | { readonly error: ErrorReport };

export type FromThread =
  | { readonly type: 'opened'; readonly model: LoadedModel; readonly imageSide: number }
  | { readonly type: 'refused'; readonly error: ErrorReport }
  /** `answers` in the order of the items. */
  | {
      readonly type: 'ran';
      readonly groupId: number;
      readonly answers: readonly GroupAnswer[];
      /** Milliseconds since the epoch. */
      readonly startedAt: number;
      readonly endedAt: number;
    };
