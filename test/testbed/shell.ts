// A test-bed host by hand: `node test/testbed/shell.ts` gives a root prompt in one, `… SCRIPT [ARGS…]` runs a bash script
// there and ends with its status. --disk SIZE (repeatable, 2G when not given), --memory MIB, --no-libvirt, --systemd come first.
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { testbed } from './index.ts';

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowNegative: true,
  allowPositionals: true,
  options: {
    disk: { type: 'string', multiple: true, default: ['2G'] },
    memory: { type: 'string', default: '768' },
    libvirt: { type: 'boolean', default: true },
    systemd: { type: 'boolean', default: false },
  },
});
const [script, ...words] = positionals;

const begun = performance.now();
await using host = await testbed.host({
  name: 'shell',
  disks: values.disk,
  memory: Number(values.memory),
  libvirt: values.libvirt,
  ...(values.systemd && { systemd: [] }),
});
process.stderr.write(`up after ${((performance.now() - begun) / 1000).toFixed(1)} s; logs: ${host.directory}\n`);
process.exitCode = script === undefined ? await prompt() : await runScript(script, words);

/** A bash on a terminal of its own inside, joined to ours. */
async function prompt(): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const size = stdout.isTTY ? `stty rows ${stdout.rows} cols ${stdout.columns};` : '';
  const terminal = `TERM=${process.env.TERM ?? 'dumb'} python3 -c 'import pty; pty.spawn(["bash", "-c", "${size} exec bash -i"])'`;
  stdin.setRawMode?.(true);
  try {
    return await host.attach(terminal, { stdin, stdout, stderr });
  } finally {
    stdin.setRawMode?.(false);
    stdin.destroy();
  }
}

function runScript(file: string, args: readonly string[]): Promise<number> {
  const quoted = args.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const stdin = file === '-' ? process.stdin : createReadStream(file);
  return host.attach(`bash -s -- ${quoted}`, { stdin, stdout: process.stdout, stderr: process.stderr });
}
