import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { type Lane, lanes } from '@captionfleet/protocol/queue-names';
import fc from 'fast-check';
import { type BatchEntry, Batcher, type BatchRunner } from './batcher.ts';

const maxImages = 4;
const maxWaitMs = 10;
const maxWaiting = 12;

interface Running {
  readonly items: readonly number[];
  readonly alone: boolean;
  /** Ends the batch; entry number `failing` fails. */
  end(failing: number): void;
}

/** A runner with a place for the running and for the prefetched batch, whose batches end when the test says so. */
class ManualRunner implements BatchRunner<number, string> {
  readonly batches: (readonly BatchEntry<number>[])[] = [];
  readonly running: Running[] = [];
  onRoom: () => void = () => undefined;

  get room(): 'idle' | 'prefetch' | 'none' {
    if (this.running.length === 0) return 'idle';
    return this.running.length === 1 && !this.running[0]?.alone ? 'prefetch' : 'none';
  }

  run(batch: readonly BatchEntry<number>[], { alone }: { readonly alone: boolean }): readonly Promise<string>[] {
    assert.notEqual(this.room, 'none', 'a batch is run only when there is room');
    if (alone) assert.equal(this.room, 'idle', 'a batch that is alone has the runner for itself');
    this.batches.push(batch);
    const results = batch.map(() => Promise.withResolvers<string>());
    const running: Running = {
      items: batch.map(({ item }) => item),
      alone,
      end: (failing) => {
        this.running.splice(this.running.indexOf(running), 1);
        for (const [position, { resolve, reject }] of results.entries()) {
          const item = running.items[position];
          if (position === failing) reject(new Error(`failed ${item}`));
          else resolve(`done ${item}`);
        }
        this.onRoom();
      },
    };
    this.running.push(running);
    return results.map(({ promise }) => promise);
  }
}

function setUp(moreMayCome = true) {
  const runner = new ManualRunner();
  const batcher = new Batcher({ maxImages, maxWaitMs, maxWaiting, moreMayCome: () => moreMayCome }, runner);
  runner.onRoom = () => batcher.dispatch();
  const submit = (item: number, alone = false, signal = new AbortController().signal, lane: Lane = 'interactive') => {
    const settled = batcher.submit(item, { lane, alone, signal });
    settled.catch(() => undefined);
    return settled;
  };
  return { runner, batcher, submit };
}

const items = (runner: ManualRunner): number[][] => runner.batches.map((batch) => batch.map(({ item }) => item));

test('a full batch runs at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, submit } = setUp();
  for (const item of [1, 2, 3]) void submit(item);
  assert.deepEqual(items(runner), []);
  void submit(4);
  assert.deepEqual(items(runner), [[1, 2, 3, 4]]);
});

test('a batch that does not fill runs when its first entry has waited', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, submit } = setUp();
  void submit(1);
  t.mock.timers.tick(maxWaitMs - 1);
  void submit(2);
  assert.deepEqual(items(runner), []);
  t.mock.timers.tick(1);
  assert.deepEqual(items(runner), [[1, 2]]);
});

test('an idle runner is not kept waiting for entries that cannot come', () => {
  const { runner, submit } = setUp(false);
  void submit(1);
  assert.deepEqual(items(runner), [[1]]);
});

test('while the runner is full a batch goes on filling, and the next one queues behind it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, submit } = setUp();
  for (const item of [1, 2, 3, 4, 5, 6, 7, 8]) void submit(item);
  void submit(9);
  t.mock.timers.tick(maxWaitMs);
  void submit(10);
  assert.deepEqual(items(runner), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  runner.running[0]?.end(-1);
  assert.deepEqual(items(runner)[2], [9, 10]);
});

test('an entry that must be alone waits for an idle runner and then has it for itself', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, submit } = setUp();
  for (const item of [1, 2, 3, 4]) void submit(item);
  void submit(5, true);
  for (const item of [6, 7, 8, 9]) void submit(item);
  assert.deepEqual(items(runner), [[1, 2, 3, 4]]);
  runner.running[0]?.end(-1);
  assert.deepEqual(items(runner), [[1, 2, 3, 4], [5]]);
  runner.running[0]?.end(-1);
  assert.deepEqual(items(runner)[2], [6, 7, 8, 9]);
});

test('closing rejects what waits and what comes later, and lets what runs go on', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, batcher, submit } = setUp();
  const first = [1, 2, 3, 4].map((item) => submit(item));
  const waiting = [submit(5, true), submit(6)];
  const reason = new Error('stopping');
  batcher.close(reason);
  for (const entry of [...waiting, submit(7)]) await assert.rejects(entry, reason);
  runner.running[0]?.end(-1);
  assert.deepEqual(await Promise.all(first), ['done 1', 'done 2', 'done 3', 'done 4']);
  assert.equal(runner.batches.length, 1);
});

test('an interactive entry goes before all bulk batches that do not run yet, however long they have waited', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { runner, submit } = setUp();
  const signal = new AbortController().signal;
  for (const item of [1, 2, 3, 4, 5, 6, 7, 8, 9]) void submit(item, false, signal, 'bulk');
  void submit(10, true, signal, 'bulk');
  assert.deepEqual(items(runner), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  void submit(11);
  runner.running[0]?.end(-1);
  assert.equal(runner.batches.length, 2, 'the open interactive batch may still fill, and keeps the place');
  t.mock.timers.tick(maxWaitMs);
  assert.deepEqual(items(runner).slice(2), [[11]]);
  while (runner.running.length > 0) runner.running[0]?.end(-1);
  assert.deepEqual(items(runner).slice(2), [[11], [10], [9]]);
});

test('an interactive entry that must be alone is not kept from an idle runner by bulk batches', () => {
  const { runner, submit } = setUp(false);
  const signal = new AbortController().signal;
  for (const item of [1, 2, 3, 4]) void submit(item, false, signal, 'bulk');
  void submit(5, true);
  for (const item of [6, 7, 8, 9]) void submit(item, false, signal, 'bulk');
  assert.deepEqual(items(runner), [[1]]);
  runner.running[0]?.end(-1);
  assert.deepEqual(items(runner)[1], [5]);
});

test('bulk runs at once where nothing interactive waits', () => {
  const { runner, submit } = setUp(false);
  void submit(1, false, new AbortController().signal, 'bulk');
  assert.deepEqual(items(runner), [[1]]);
});

type Step =
  | { readonly type: 'submit'; readonly alone: boolean; readonly lane: Lane }
  | { readonly type: 'abort'; readonly pick: number }
  | { readonly type: 'tick'; readonly milliseconds: number }
  | { readonly type: 'end'; readonly pick: number; readonly failing: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('submit' as const),
        alone: fc.nat(5).map((n) => n === 0),
        lane: fc.constantFrom(...lanes),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), pick: fc.nat(60) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('tick' as const), milliseconds: fc.nat(12) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant('end' as const),
        pick: fc.nat(1),
        failing: fc.integer({ min: -3, max: 3 }),
      }),
    },
  ),
  { maxLength: 60 },
);

test('whatever comes, each entry is settled once, batches keep their bounds, and nobody waits for nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (script, moreMayCome) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      try {
        await play(script, moreMayCome);
      } finally {
        mock.timers.reset();
      }
    }),
    { numRuns: 300 },
  );
});

async function play(script: readonly Step[], moreMayCome: boolean): Promise<void> {
  const { runner, batcher, submit } = setUp(moreMayCome);
  const controllers: AbortController[] = [];
  /** How often each entry was settled, and how. */
  const settlements = new Map<number, string[]>();
  const abortedWhileWaiting = new Set<number>();
  const alones = new Set<number>();
  const laneOf = new Map<number, Lane>();
  const refused = new Set<number>();
  const started = () => new Set(items(runner).flat());
  const move: { [Type in Step['type']]: (step: Extract<Step, { type: Type }>) => void } = {
    submit({ alone, lane }) {
      const item = controllers.length;
      const controller = new AbortController();
      controllers.push(controller);
      if (alone) alones.add(item);
      laneOf.set(item, lane);
      if (batcher.waiting >= maxWaiting) refused.add(item);
      const told: string[] = [];
      settlements.set(item, told);
      void submit(item, alone, controller.signal, lane).then(
        (result) => told.push(result),
        (error: Error) => told.push(error.message),
      );
    },
    abort({ pick }) {
      if (controllers.length === 0) return;
      const item = pick % controllers.length;
      if (!started().has(item)) abortedWhileWaiting.add(item);
      controllers[item]?.abort(new Error(`aborted ${item}`));
    },
    tick({ milliseconds }) {
      mock.timers.tick(milliseconds);
    },
    end({ pick, failing }) {
      runner.running[pick]?.end(failing);
    },
  };
  const assertNoneIsPassed = (ranBefore: number): void => {
    const waiting = [...laneOf].filter(
      ([item, lane]) => lane === 'interactive' && !started().has(item) && !abortedWhileWaiting.has(item),
    );
    const ran = items(runner).slice(ranBefore);
    // A refused entry waits for nothing.
    const open = waiting.filter(([item]) => !refused.has(item));
    if (open.length > 0)
      assert.ok(
        ran.every(([item = -1]) => laneOf.get(item) === 'interactive'),
        'bulk passed',
      );
  };
  for (const step of script) {
    const ranBefore = runner.batches.length;
    move[step.type](step as never);
    assert.ok(batcher.waiting <= maxWaiting);
    assertNoneIsPassed(ranBefore);
    if (runner.room === 'idle' && !moreMayCome)
      assert.equal(batcher.waiting, 0, 'an idle runner and entries that wait');
  }
  // Time passes and batches end until nothing is left.
  mock.timers.tick(maxWaitMs);
  while (runner.running.length > 0) {
    runner.running[0]?.end(-1);
    mock.timers.tick(maxWaitMs);
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(batcher.waiting, 0);
  for (const [item, told] of settlements) assert.equal(told.length, 1, `entry ${item}: ${told.join(', ')}`);
  for (const item of abortedWhileWaiting) assert.ok(!started().has(item), `entry ${item} ran although it had left`);
  for (const batch of items(runner)) {
    assert.ok(batch.length >= 1 && batch.length <= maxImages);
    if (batch.some((item) => alones.has(item))) assert.equal(batch.length, 1);
    assert.equal(new Set(batch.map((item) => laneOf.get(item))).size, 1, 'lanes do not mix');
    assert.deepEqual(
      batch,
      batch.toSorted((a, b) => a - b),
      'first come, first served',
    );
  }
}
