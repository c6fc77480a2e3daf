// For `node --import`: notes in the file of $RECORD_IMPORTS what a process loads of OpenTelemetry, but for its API, which prom-client
// imports.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env['RECORD_IMPORTS'];
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    if (file !== undefined && /\/@opentelemetry\/(?!api\/)/.test(resolved.url))
      appendFileSync(file, `${resolved.url}\n`);
    return resolved;
  },
});
