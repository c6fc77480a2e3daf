import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { createLogger } from './logger.ts';

/** A logger and the lines that it wrote, parsed. */
function recordingLogger(level: 'info' | 'silent' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ name: 'test', level, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

test('a line is JSON with the name, the level as a word, an ISO time and the fields', () => {
  const { logger, parsed } = recordingLogger();
  logger.info({ batchSize: 3 }, 'ran');
  logger.debug('below the level');
  const [line, ...rest] = parsed();
  assert.deepEqual(rest, []);
  const { name, level, msg, batchSize } = line;
  assert.deepEqual({ name, level, msg, batchSize }, { name: 'test', level: 'info', msg: 'ran', batchSize: 3 });
  assert.equal(new Date(line.time).toISOString(), line.time);
});

test('an error keeps its code and the message of its cause', () => {
  const { logger, parsed } = recordingLogger();
  const cause = new Error('read ECONNRESET');
  logger.error({ err: new CaptionfleetError('QUEUE_UNAVAILABLE', 'Redis does not answer', { cause }) }, 'failed');
  assert.equal(parsed()[0].err.code, 'QUEUE_UNAVAILABLE');
  assert.match(parsed()[0].err.message, /Redis does not answer.*ECONNRESET/);
});

const secret = 's3cr3t/+~"\\x==';
const plain = 'Zm9vYmFyc2VjcmV0';
const places: Readonly<Record<string, Record<string, unknown>>> = {
  'a header': { req: { headers: { authorization: secret, Cookie: secret, host: 'kept' } } },
  'a header of Azure': { req: { headers: { 'Ocp-Apim-Subscription-Key': secret, 'api-key': secret, host: 'kept' } } },
  'a key in a message': { text: `the key cap_live_0123456789a_${plain} is kept` },
  'a web token': { text: `eyJhbGciOiJSUzI1NiJ9.eyJ${plain}.${plain} is kept` },
  'a token in a message': { text: `sent Authorization: Bearer ${plain} to kept` },
  'a URL of Redis': { url: `rediss://default:${plain}@kept:6380/0` },
  'a URL of Redis without a user': { url: `redis://:${plain}@kept:6379` },
  'a password with an at sign': { url: `redis://:${plain}@@kept:6379` },
  'a SAS': { url: `https://kept.blob.core.windows.net/c/a.jpg?sv=2024&sig=${plain}%2B%3D&se=2026` },
  'a SAS in a parameter': { url: `https://kept/?url=${encodeURIComponent(`https://a/b?sig=${plain}%2B`)}` },
  'a connection string': { text: `AccountName=kept;AccountKey=${plain}/+==;EndpointSuffix=core.windows.net` },
  'a field of settings': { config: { password: secret, connectionString: secret, host: 'kept' } },
  'the cause of an error': { err: new Error('kept', { cause: new Error(`connect redis://u:${plain}@host`) }) },
};
for (const [place, fields] of Object.entries(places)) {
  test(`a secret in ${place} is redacted and the rest of the line is kept`, () => {
    const { logger, lines, parsed } = recordingLogger();
    logger.info(fields, 'with fields');
    logger.child(fields).info('bound');
    assert.equal(parsed().length, 2);
    parsed();
    for (const line of lines) {
      assert.ok(!line.includes(plain) && !line.includes('s3cr3t'), line);
      assert.ok(line.includes('kept') && line.includes('[redacted]'), line);
    }
  });
}

test('a long hostile text costs little time', () => {
  const { logger, lines } = recordingLogger();
  const started = performance.now();
  for (const piece of ['a.', 'http://', 'sig=', 'Bearer ', '"password":"', 'x@', 'eyJ-', 'eyJa.', 'cap_a_'])
    logger.info(piece.repeat(50_000));
  assert.equal(lines.length, 9);
  assert.ok(performance.now() - started < 2_000, `${performance.now() - started} ms`);
});

test('the level "silent" writes nothing', () => {
  const { logger, lines } = recordingLogger('silent');
  logger.fatal('nothing');
  assert.deepEqual(lines, []);
});
