import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort, startLocalProcess, waitUntilReady } from '../../../apps/cli/src/local-process.ts';
import type { ShapeImages } from './shapes.ts';

const folder = fileURLToPath(new URL('./', import.meta.url));
/** Captions and answers by the sha256 of an image's bytes. */
export type ReferenceTable = Readonly<
  Record<string, { readonly caption: string; readonly answers: Readonly<Record<string, string>> }>
>;

const questions = ['is there a boat?', 'is there a cat?'];

/** Asks a fleet about the images, so that both sides say the same of them. */
export async function makeTable(fleetUrl: string, images: ShapeImages): Promise<ReferenceTable> {
  const ask = async (path: string, bytes: Uint8Array, more: object) => {
    const response = await fetch(`${fleetUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=60' },
      body: JSON.stringify({ images: [{ base64: Buffer.from(bytes).toString('base64') }], ...more }),
      signal: AbortSignal.timeout(90_000),
    });
    const { images: results } = (await response.json()) as { images: Record<string, { text: string }[]>[] };
    return (results[0]?.['captions'] ?? results[0]?.['answers'] ?? []).map(({ text }) => text);
  };
  const behind = Buffer.concat([images.boat, Buffer.from('behind')]);
  const rows = await Promise.all(
    [...Object.values(images), behind].map(async (bytes) => {
      const [caption = ''] = await ask('/v1/captions', bytes, {});
      const answers = await ask('/v1/answer', bytes, { questions });
      const byQuestion = Object.fromEntries(questions.map((question, index) => [question, answers[index] ?? '']));
      return [createHash('sha256').update(bytes).digest('hex'), { caption, answers: byQuestion }] as const;
    }),
  );
  return Object.fromEntries(rows);
}

interface ReferenceOptions {
  /** An interpreter that has what reference.txt names. */
  readonly python: string;
  readonly table: ReferenceTable;
  readonly columns: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** azureml-inference-server-http, unmodified, with our scoring script. */
export async function startReference(options: ReferenceOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const port = await findFreePort();
  const scratch = await mkdtemp(join(tmpdir(), 'captionfleet-reference-'));
  const tableFile = join(scratch, 'table.json');
  await writeFile(tableFile, JSON.stringify(options.table));
  const lastLines: string[] = [];
  const server = startLocalProcess({
    name: 'the reference server',
    command: options.python,
    arguments: [
      '-m',
      'azureml_inference_server_http.amlserver',
      '--entry_script',
      join(folder, 'scoring_script.py'),
      '--port',
      String(port),
    ],
    env: {
      ...process.env,
      AML_APP_ROOT: folder,
      AZUREML_MODEL_DIR: folder,
      CONTRACT_TABLE: tableFile,
      CONTRACT_COLUMNS: options.columns,
      PYTHONDONTWRITEBYTECODE: '1',
      ...options.env,
    },
    onLine: (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
    },
  });
  const isReady = async () => {
    const within = AbortSignal.timeout(2_000);
    return (await fetch(`http://127.0.0.1:${port}/`, { signal: within }).catch(() => undefined))?.ok ?? false;
  };
  await waitUntilReady(server, 'the reference server', isReady, { deadlineMs: 120_000, lastLines });
  return {
    port,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
