// The shared LUN as storage networks give it: an iSCSI target beside the hosts. They log in to it at each boot.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { BRIDGE_ADDRESS, type Network } from './network.ts';

/** Where hosts find it. */
export const PORTAL = BRIDGE_ADDRESS;
/** The device in every host: by the World Wide Name that tgtd gives the first unit of its first target. */
export const DEVICE = '/dev/disk/by-id/wwn-0x60000000000000000e00000000010001';
const IQN = 'iqn.2026-01.test.sltv:shared';

export class Target implements AsyncDisposable {
  readonly #daemon: ChildProcess;

  /** `startTarget` is how to get one. */
  constructor(daemon: ChildProcess) {
    this.#daemon = daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#daemon.exitCode !== null || this.#daemon.signalCode !== null) return;
    const exited = once(this.#daemon, 'exit');
    this.#daemon.kill('SIGKILL');
    await exited;
  }
}

/** Gives a raw file to every host of the network. */
export async function startTarget(network: Network, directory: string, file: string): Promise<Target> {
  // Its control socket, relative: a socket's path has 107 characters at most.
  const where = { cwd: directory, env: { TGT_IPC_SOCKET: 'disks/tgtd' } };
  const words = openSync(join(directory, 'tgtd.log'), 'a');
  const target = new Target(network.spawn('/usr/sbin/tgtd', ['-f'], words, where));
  closeSync(words);
  const admin = 'tgtadm --lld iscsi';
  const script = [
    'PATH=$PATH:/usr/sbin; tries=0',
    'until tgtadm --mode system --op show > /dev/null 2>&1; do tries=$((tries+1)); [ $tries -lt 200 ]; sleep 0.05; done',
    `${admin} --mode target --op new --tid 1 --targetname ${IQN}`,
    `${admin} --mode logicalunit --op new --tid 1 --lun 1 --backing-store "$1"`,
    `${admin} --mode target --op bind --tid 1 --initiator-address ALL`,
  ];
  try {
    await network.run('bash', ['-ec', script.join('\n'), 'bash', file], where);
    return target;
  } catch (error) {
    await target[Symbol.asyncDispose]();
    throw error;
  }
}
