#!/usr/bin/env node
// The bin of a clone: any Node starts it, the bootstrap brings the right one.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'captionfleet');
await import(join(dirname(fileURLToPath(import.meta.url)), '../../../scripts/bootstrap.mjs'));
