// Who this host is, and which of its lives this is.
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { coreErrors } from './errors.ts';
import { writeDurably } from './files.ts';

export interface Node {
  /** This host's name in the storage's notes. */
  readonly id: string;
  /** systemd's machine id: what a local lock domain is named by. */
  readonly machineId: string;
  /** The kernel's boot id: another one proves that nothing of the old life still runs. */
  readonly bootId: string;
  readonly stateDir: string;
  readonly runDir: string;
}

/**
 * Reads this host's identity. The id is fixed in the state directory at the first start: a host that is renamed later
 * still owns what it had. Errors: `core/config` when there is no machine id.
 */
export async function identifyNode(options: {
  nodeId?: string | undefined;
  stateDir: string;
  runDir: string;
}): Promise<Node> {
  const machineId = (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim();
  if (!/^[0-9a-f]{32}$/.test(machineId)) {
    throw coreErrors('config', 'this host has no machine id in /etc/machine-id', { hint: 'systemd-machine-id-setup' });
  }
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const fixed = await readFixedId(options.stateDir);
  const id =
    options.nodeId ??
    fixed ??
    hostname()
      .replace(/[^A-Za-z0-9_.-]/g, '-')
      .slice(0, 63);
  if (id !== fixed) await fixId(options.stateDir, id);
  return { id, machineId, bootId, stateDir: options.stateDir, runDir: options.runDir };
}

const fileOf = (stateDir: string) => join(stateDir, 'node-id');

async function readFixedId(stateDir: string): Promise<string | undefined> {
  const text = await readFile(fileOf(stateDir), 'utf8').catch(() => '');
  return text.trim() || undefined;
}

async function fixId(stateDir: string, id: string): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o755 });
  await writeDurably(fileOf(stateDir), `${id}\n`);
}
