import { type DestinationStream, type LevelWithSilent, type Logger, pino } from 'pino';
import { currentSpan, type Span } from './current-span.ts';

export type { Logger };

export interface LoggerOptions {
  /** The part of the fleet that writes, such as `api`. */
  readonly name: string;
  readonly level: LevelWithSilent;
  /** @defaultValue standard output, written synchronously so that the last lines of a dying process arrive */
  readonly destination?: DestinationStream;
}

/**
 * JSON lines with `level` as a word and `time` in ISO 8601, and `trace_id` and `span_id` where they belong to a span. Secrets are taken out of the finished line, wherever they
 * stand in it: in a field, a message, or the stack of an error's cause that a library wrote.
 */
export function createLogger({
  name,
  level,
  destination = pino.destination({ fd: 1, sync: true }),
}: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: (_, __, line: object) => idsOf((line as Partial<InSpan>)[spanOf] ?? currentSpan()),
      hooks: { streamWrite: withoutSecrets },
    },
    destination,
  );
}

const spanOf = Symbol('the span that the lines of a logger belong to');
interface InSpan {
  [spanOf]: Span;
}

/** Has all lines of a logger, and of those made of it, belong to a span, wherever they are written from. */
export function linesOf<Log extends object>(span: Span, logger: Log): Log {
  return span.ids === undefined ? logger : Object.assign(logger, { [spanOf]: span } satisfies InSpan);
}

const none = {};
const idsOf = ({ ids }: Span): object => (ids === undefined ? none : { trace_id: ids.traceId, span_id: ids.spanId });

const hidden = '[redacted]';

/** No pattern takes a quote or a backslash away that is part of the line's syntax, so the line stays JSON. */
const secrets: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Fields of headers and settings, whatever their text is.
  [
    /("(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key|ocp-apim-subscription-key|password|connectionString)":)"(?:[^"\\]|\\.)*"/gi,
    `$1"${hidden}"`,
  ],
  [/\b(Bearer|Basic|SharedKey) [\w.~+/=:-]+/g, `$1 ${hidden}`],
  // API keys of this fleet, also cut off ones, wherever they stand; the id may stay. JSON web tokens.
  [/\b(cap_[a-z\d]{1,16}_[\dA-Za-z]{11}_)[\dA-Za-z]+/g, `$1${hidden}`],
  [/(?<![\w-])eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g, hidden],
  // The user and password of a URL, such as REDIS_URL.
  [/(\b[a-z][a-z\d+.-]{0,20}:\/\/)[^/?#\s"\\]*@/gi, `$1${hidden}@`],
  // The signature of a SAS, also inside a URL that is a query parameter itself.
  [/(\b|%26|%3f)(sig(?:=|%3d))[^&\s"\\]+/gi, `$1$2${hidden}`],
  // Parts of a connection string of Azure.
  [/\b(AccountKey|SharedAccessKey|SharedAccessSignature|password)=[^;\s"\\]+/gi, `$1=${hidden}`],
];

function withoutSecrets(line: string): string {
  return secrets.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}
