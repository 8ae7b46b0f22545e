// The main job as a story: each command as a user types it on a hypervisor host, and what must be seen of it.
import type { Guest, Host } from './index.ts';

export interface Step {
  /** What a test breaks it by. */
  readonly name: string;
  /** One line for the reader. */
  readonly say: string;
  /** As typed; or something that the guest does. */
  readonly run?: string;
  readonly guest?: { readonly shown: string; readonly does: (guest: Guest, host: Host) => Promise<string> };
  /** What its output must show. */
  readonly shows: RegExp;
}

/** The name of the guest in the story. */
const GUEST = 'web01';

export const STORY: readonly Step[] = [
  {
    name: 'pool',
    say: 'A pool is a Volume Group. This host has an empty disk for one.',
    run: 'sltv pool create vg-sltv /dev/vda',
    shows: /vg-sltv/,
  },
  { name: 'pools', say: 'Pools, with their room:', run: 'sltv pool list', shows: /vg-sltv +lvm/ },
  {
    name: 'thick',
    say: 'A thick disk is a logical volume: all of its space at once.',
    run: 'sltv disk create web01-data --size 256M',
    shows: /web01-data/,
  },
  {
    name: 'thin',
    say: 'A thin disk is qcow2 on a logical volume that grows: the guest sees 4 GiB, the pool gives 128 MiB at first.',
    run: 'sltv disk create web01-logs --thin --virtual-size 4G --size 128M',
    shows: /web01-logs/,
  },
  {
    name: 'hooks',
    say: "libvirt's hook activates a VM's disks before it starts.",
    run: 'sltv init --hooks',
    shows: /qemu\.d\/sltv/,
  },
  {
    name: 'list',
    say: 'Both are there, and neither is active anywhere:',
    run: 'sltv disk list',
    shows: /web01-data[\s\S]*web01-logs/,
  },
  {
    name: 'attach',
    say: 'Into the running guest:',
    run: `sltv disk attach web01-data ${GUEST}`,
    shows: /target: +vda/,
  },
  { name: 'attach-thin', say: 'And the thin one:', run: `sltv disk attach web01-logs ${GUEST}`, shows: /target: +vdb/ },
  {
    name: 'write',
    say: 'The guest writes to both.',
    guest: {
      shown: 'writes 32 MiB to vda, 32 MiB to vdb, and reads them back',
      does: async (guest) => {
        for (const disk of ['vda', 'vdb']) {
          await guest.write('32M', { disk });
          await guest.verify('32M', { disk });
        }
        return 'what it reads is what it wrote';
      },
    },
    shows: /what it wrote/,
  },
  {
    name: 'extend',
    say: 'The thick disk grows under the guest:',
    run: 'sltv disk extend web01-data --delta +128M',
    shows: /384 MiB/,
  },
  {
    name: 'seen',
    say: 'and the guest sees it, without a pause:',
    guest: {
      shown: 'asks for the size of vda',
      does: async (guest) => `vda has ${await guest.size('vda')} bytes`,
    },
    shows: /vda has 402653184 bytes/,
  },
  {
    name: 'extend-thin',
    say: "The thin disk's volume may be grown by hand, too; the guest sees 4 GiB as before.",
    run: 'sltv disk extend web01-logs --delta +64M',
    shows: /virtual size: +4 GiB/,
  },
  {
    name: 'unchanged',
    say: 'Nothing that it wrote is lost:',
    guest: {
      shown: 'reads both again',
      does: async (guest) => {
        await guest.verify('32M', { disk: 'vda' });
        await guest.verify('32M', { disk: 'vdb' });
        return `both are whole; vdb has ${await guest.size('vdb')} bytes`;
      },
    },
    shows: /both are whole; vdb has 4294967296 bytes/,
  },
  {
    name: 'attachments',
    say: 'Which VM has which disk:',
    run: 'sltv attachment list',
    shows: /web01-data[\s\S]*web01-logs/,
  },
  {
    name: 'mistake',
    say: 'A disk in use can not be deleted by mistake:',
    run: 'sltv disk delete web01-data || true',
    shows: /hint: sltv disk detach/,
  },
  {
    name: 'first',
    say: 'A thin disk grows before its guest can fill it. This one begins with 64 MiB of the 4 GiB that its guest sees, and grows in small steps:',
    run: 'sltv disk create web01-db --thin --virtual-size 4G --size 64M && sltv autoextend set web01-db --step 256M',
    shows: /step: +256 MiB/,
  },
  { name: 'attach-db', say: '', run: `sltv disk attach web01-db ${GUEST}`, shows: /target: +vdc/ },
  {
    name: 'ahead',
    say: 'It is ahead already, and QEMU will tell when its guest comes near:',
    run: 'sltv autoextend status web01-db',
    shows: /web01-db/,
  },
  {
    name: 'outrun',
    say: 'Now the guest writes 3 GiB, as fast as it can. Nobody types a command meanwhile:',
    guest: {
      shown: 'writes 3 GiB to vdc',
      does: async (guest, host) => {
        const stream = host.start('virsh event --all --loop');
        const begun = performance.now();
        await guest.write('3G', { disk: 'vdc', timeout: 300_000 });
        const seconds = (performance.now() - begun) / 1000;
        const crossings = stream.seen.filter((line) => /block-threshold.*: dev: vdc\(/.test(line));
        const pauses = stream.seen.filter((line) => /Suspended/.test(line));
        const speed = (3072 / seconds).toFixed(0);
        return `written at ${speed} MiB/s; QEMU told ${crossings.length} times; the guest stood still ${pauses.length} times`;
      },
    },
    shows: /stood still 0 times/,
  },
  {
    name: 'grown',
    say: 'What has become of its 64 MiB:',
    run: 'sltv autoextend status web01-db',
    shows: /web01-db +web01 +vdc +[34](?:\.\d+)? GiB/,
  },
  {
    name: 'whole',
    say: 'And the guest has all of it:',
    guest: {
      shown: 'reads 3 GiB of vdc again',
      does: async (guest) => {
        await guest.verify('3G', { disk: 'vdc', timeout: 300_000 });
        return 'what it reads is what it wrote';
      },
    },
    shows: /what it wrote/,
  },
  {
    name: 'detach',
    say: 'Out again, for good only when the guest has let go:',
    run: `sltv disk detach web01-data ${GUEST}`,
    shows: /web01-data/,
  },
  { name: 'detach-thin', say: 'And the thin one:', run: `sltv disk detach web01-logs ${GUEST}`, shows: /web01-logs/ },
  {
    name: 'gone',
    say: 'The guest has neither:',
    guest: {
      shown: 'looks for vda and vdb',
      does: async (guest) => `vda: ${await guest.sees('vda')}, vdb: ${await guest.sees('vdb')}`,
    },
    shows: /vda: false, vdb: false/,
  },
  { name: 'detach-db', say: '', run: `sltv disk detach web01-db ${GUEST}`, shows: /web01-db/ },
  { name: 'delete', say: 'And deleted:', run: 'sltv disk delete web01-data', shows: /web01-data/ },
  { name: 'delete-thin', say: '', run: 'sltv disk delete web01-logs', shows: /web01-logs/ },
  { name: 'delete-db', say: '', run: 'sltv disk delete web01-db', shows: /web01-db/ },
  { name: 'status', say: 'Nothing is left behind:', run: 'sltv status', shows: /vg-sltv/ },
  { name: 'nothing', say: 'Not in LVM either:', run: 'lvs --noheadings vg-sltv | wc -l', shows: /^0$/m },
];

/** Tells the story on a host whose daemon runs; throws at the first step that doesn't show what it must. */
export async function tell(host: Host, steps: readonly Step[], print: (line: string) => void): Promise<void> {
  print('# This host is emulated, so whoever types waits longer than the 30 s of sltv: export SLTV_TIMEOUT=5m');
  const guest = await host.guest(GUEST, { disks: [] });
  for (const step of steps) {
    if (step.say !== '') print(`\n# ${step.say}`);
    const output = step.guest ? await act(guest, host, step.guest, print) : await type(host, step.run ?? 'true', print);
    if (!step.shows.test(output)) throw new Error(`step '${step.name}' did not show ${step.shows}:\n${output}`);
  }
}

async function type(host: Host, command: string, print: (line: string) => void): Promise<string> {
  print(`$ ${command}`);
  const { stdout, stderr } = await host.run(`export SLTV_TIMEOUT=5m; ${command}`, { timeout: 300_000 });
  const output = `${stdout}${stderr}`.trimEnd();
  if (output !== '') print(output);
  return output;
}

async function act(
  guest: Guest,
  host: Host,
  { shown, does }: NonNullable<Step['guest']>,
  print: (line: string) => void,
): Promise<string> {
  print(`(${guest.name} ${shown})`);
  const output = await does(guest, host);
  print(output);
  return output;
}
