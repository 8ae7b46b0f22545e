// A guest that writes as fast as it can to a thin disk that begins small, under one policy and under another.
import { startDaemon } from './daemon.ts';
import type { Guest, Host } from './index.ts';

export interface Outcome {
  readonly megabytesPerSecond: number;
  readonly extensions: number;
  /** How often the guest stood still because its disk was full. */
  readonly pauses: number;
}

/** What hosts had before: a look every 15 s, and a tenth more when less than a tenth is free. */
export const POLLING = `autoextend({ policy: keepFree({ percent: 10, step: '10%' }), events: false, poll: 15_000 })`;
/** The default, with the smallest steps: so that there are many. */
export const SMALL_STEPS = `autoextend({ policy: ahead({ headroom: { least: '1G' }, step: { least: '64M', most: '64M' } }) })`;

const configOf = (plugin: string) => `
import { defineConfig } from 'sltv';
import autoextend, { ahead, keepFree } from 'sltv/autoextend';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';
export default defineConfig({ plugins: [lvm(), libvirt(), localLock(), ${plugin}] });
`;

/**
 * Makes a disk of 1 GiB physical size in the guest and has the guest write `mebibytes` from its beginning. The daemon of
 * `plugin` is there meanwhile, and one of the built-in config after it; the data is read back, and the image checked.
 */
export async function outrun(host: Host, guest: Guest, plugin: string, mebibytes: number): Promise<Outcome> {
  await host.run('mkdir -p /etc/sltv && cat > /etc/sltv/sltv.config.ts', { input: configOf(plugin) });
  const daemon = await startDaemon(host);
  await host.run('sltv disk create fast --thin --virtual-size 40G --size 1G && sltv disk attach fast web');
  const events = host.start('virsh event --all --loop');
  const written = timed(() => guest.write(`${mebibytes}M`, { timeout: 900_000 }));
  const pause = events.line(/Suspended I\/O Error/, { timeout: 900_000 }).catch(() => undefined);
  await Promise.race([written, pause]);
  const pauses = events.seen.filter((line) => /Suspended I\/O Error/.test(line)).length;
  const extensions = Number((await host.run(EXTENSIONS)).stdout);
  await daemon.stop();
  await host.run('rm /etc/sltv/sltv.config.ts');
  // Whoever stood still is helped by the next daemon.
  const next = await startDaemon(host);
  const milliseconds = await written;
  await guest.verify(`${mebibytes}M`, { timeout: 900_000 });
  await host.run('qemu-img check -q -U -f qcow2 /dev/vg-sltv/fast', { timeout: 120_000 });
  await host.run('sltv disk detach fast web && sltv disk delete fast');
  await next.stop();
  return { megabytesPerSecond: (mebibytes * 1000) / milliseconds, extensions, pauses };
}

/** Of this daemon. LVM's archive would not do: it keeps a hundred commits. */
const EXTENSIONS = `sltv events --json | grep -c '"disk.extended"' || :`;

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}
