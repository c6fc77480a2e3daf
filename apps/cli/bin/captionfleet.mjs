#!/usr/bin/env node
// The bin of a clone: any Node starts it, the bootstrap brings the right one.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.argv.splice(2, 0, 'captionfleet');
// Paths are relative to where the command is given; npm says so of itself, and here nobody has.
process.env.INIT_CWD = process.cwd();
await import(join(dirname(fileURLToPath(import.meta.url)), '../../../scripts/bootstrap.mjs'));
