import type { components } from './openapi-types.ts';

/** An image as the API takes it: `url`, `base64` or `blob`, each with a `customId` or without. */
export type NamedImage = components['schemas']['CaptionRequestInput']['images'][number];

/** Bytes of an image, of which the client reads and encodes a piece at a time while it sends. */
export type ImageBytes = Uint8Array | ArrayBuffer | Blob;

/** A URL, bytes, or either with a name of the caller's own; or what the API takes, such as a blob reference. */
export type Image = string | URL | ImageBytes | { readonly customId?: string; readonly bytes: ImageBytes } | NamedImage;

/** An image whose bytes are still to be read, or one that goes as it is. */
type ReadImage = { readonly customId?: string; readonly bytes: Blob } | NamedImage;

const isBytes = (image: Image): image is ImageBytes =>
  image instanceof Blob || image instanceof Uint8Array || image instanceof ArrayBuffer;

function readImage(image: Image): ReadImage {
  if (typeof image === 'string') return { url: image };
  if (image instanceof URL) return { url: image.href };
  if (isBytes(image)) return { bytes: asBlob(image) };
  return 'bytes' in image ? { ...image, bytes: asBlob(image.bytes) } : image;
}

const asBlob = (bytes: ImageBytes): Blob => (bytes instanceof Blob ? bytes : new Blob([bytes]));

/** A body, and what fetch must be told of it. */
interface SendableBody {
  readonly body: NonNullable<RequestInit['body']>;
  readonly duplex?: 'half';
}

/** Browsers stream a request over HTTP/2 alone, and do not say which they speak. */
const canStream = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;

/** The member of a body that the images are in: `images` of a request, `items` of a bulk request. */
type Member = 'images' | 'items';

/** Makes the JSON body of a request, anew for each time that it is sent. */
export function bodyMaker(
  images: readonly Image[],
  asked: object,
  member: Member = 'images',
): () => Promise<SendableBody> {
  const read = images.map(readImage);
  if (!read.some((image) => 'bytes' in image)) {
    const body = JSON.stringify({ ...asked, [member]: (read as NamedImage[]).map((image) => entryOf(member, image)) });
    return async () => ({ body });
  }
  return async () => {
    const pieces = jsonPieces(read, asked, member);
    if (canStream) return { body: streamOf(pieces), duplex: 'half' };
    const parts: string[] = [];
    for await (const piece of pieces) parts.push(piece);
    return { body: new Blob(parts) };
  };
}

/** An item of a bulk request is named beside its image, an image of a request in it. */
function entryOf(member: Member, { customId, ...image }: NamedImage): object {
  if (member === 'items') return { ...(customId !== undefined && { custom_id: customId }), image };
  return { ...(customId !== undefined && { customId }), ...image };
}

async function* jsonPieces(images: readonly ReadImage[], asked: object, member: Member): AsyncGenerator<string> {
  yield `{"${member}":[`;
  for (const [index, image] of images.entries()) {
    if (index > 0) yield ',';
    if (!('bytes' in image)) {
      yield JSON.stringify(entryOf(member, image));
      continue;
    }
    const { bytes, ...named } = image;
    const entry = JSON.stringify(entryOf(member, { ...named, base64: '' }));
    const end = entry.lastIndexOf('""') + 1;
    yield entry.slice(0, end);
    yield* base64Pieces(bytes);
    yield entry.slice(end);
  }
  const rest = JSON.stringify(asked).slice(1);
  yield rest === '}' ? ']}' : `],${rest}`;
}

/** Bytes that are encoded at a time: a multiple of 3, so that only the last piece is padded. */
const pieceBytes = 3 * 64 * 1024;
/** Arguments of one call; more may not fit onto a stack. */
const charactersAtOnce = 8 * 1024;

async function* base64Pieces(blob: Blob): AsyncGenerator<string> {
  for (let start = 0; start < blob.size; start += pieceBytes) {
    const bytes = new Uint8Array(await blob.slice(start, start + pieceBytes).arrayBuffer());
    let binary = '';
    for (let at = 0; at < bytes.length; at += charactersAtOnce) {
      binary += String.fromCharCode(...bytes.subarray(at, at + charactersAtOnce));
    }
    yield btoa(binary);
  }
}

function streamOf(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}
