#!/usr/bin/env node
// The executable.
import manifest from './package.json' with { type: 'json' };

const { argv } = process;
const { version } = manifest;
// Asked by every script that looks whether sltv is there: nothing is loaded for it.
if (argv.length === 3 && (argv[2] === '--version' || argv[2] === 'version')) process.stdout.write(`sltv ${version}\n`);
else void import('./app.ts').then(({ start }) => start(argv, version));
