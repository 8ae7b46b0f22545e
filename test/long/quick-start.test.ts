// docs/quick-start.md and docs/thin-provisioning.md, as somebody reads them on a host with an empty device and a VM: every block, in its
// order, with the status and the shape that the page shows.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Block, blocksOf, hasShape, statusOf } from '../fixtures/pages.ts';
import { startDaemon } from '../testbed/daemon.ts';
import { type Guest, type Host, testbed } from '../testbed/index.ts';

/** The built-in config with time for a libvirt whose machine is emulated. */
const PATIENT = `
import { defineConfig } from 'sltv';
import autoextend from 'sltv/autoextend';
import dir from 'sltv/dir';
import libvirt from 'sltv/libvirt';
import localLock from 'sltv/local-lock';
import lvm from 'sltv/lvm';
const deadlines = { read: 120_000, change: 120_000, statistics: 60_000, alone: 30_000 };
export default defineConfig({ plugins: [lvm(), dir(), libvirt({ deadlines }), localLock(), autoextend()] });
`;

const test = suite('the quick start');
let host: Host;
let guest: Guest;

test.before(async () => {
  // Named as on the page; the devices there are sdb and sdc.
  const files = { '/etc/sltv/sltv.config.ts': PATIENT };
  host = await testbed.host({ name: 'kvm1', disks: ['40G', '10G'], memory: 1024, files });
  await startDaemon(host);
  const own = '/var/lib/testbed/own.img';
  await host.run(`mkdir -p /var/lib/testbed && truncate -s 16M ${own}`);
  guest = await host.guest('web01', { disks: [{ path: own, format: 'raw' }] });
});
test.after(async () => {
  await host?.[Symbol.asyncDispose]();
});

test('every command does what its page says', async () => {
  // The second goes on where the first has ended.
  for (const page of ['docs/quick-start.md', 'docs/thin-provisioning.md']) {
    const blocks = blocksOf(page).filter(({ language }) => language === 'sh');
    assert.ok(blocks.length > 5, `${page} has commands`);
    for (const block of blocks) await follow(page, block);
  }
});

test.run();

/** Types a block. One that only looks is typed again until it shows what the page does, as by a reader who was too fast. */
async function follow(page: string, block: Block): Promise<void> {
  const { text, words, shown = '…' } = block;
  const type = words === 'in the guest' ? inGuest : inHost;
  const last = Date.now() + 120_000;
  let { said, code } = await type(text);
  const isRight = () => hasShape(said, shown) && code === statusOf(shown);
  while (!isRight() && isLook(text) && Date.now() < last) ({ said, code } = await type(text));
  assert.ok(isRight(), `${page}: ${text}ended with ${code} and said:\n${said}\nand not:\n${shown}`);
}

const isLook = (text: string) =>
  text
    .trim()
    .split('\n')
    .every((line) => /^sltv (?:\w+ )?(?:list|show|status|plan|events)\b/.test(line));

interface Typed {
  readonly said: string;
  readonly code: number;
}

/** With patience: the machine is emulated. */
async function inHost(text: string): Promise<Typed> {
  const typed = text.replaceAll('/dev/sdb', '/dev/vda').replaceAll('/dev/sdc', '/dev/vdb');
  const options = { timeout: 600_000, allowFailure: true };
  const { stdout, code } = await host.run(`exec 2>&1; set -e; export SLTV_TIMEOUT=5m\n${typed}`, options);
  return { said: stdout.replaceAll('/dev/vda', '/dev/sdb').replaceAll('/dev/vdb', '/dev/sdc'), code };
}

/** A guest of the test bed has no shell. It does what these commands do. */
async function inGuest(text: string): Promise<Typed> {
  const [, written, mebibytes] = /^dd if=\/dev\/zero of=\/dev\/(\w+) bs=1M count=(\d+) oflag=direct$/m.exec(text) ?? [];
  const [, measured] = /^blockdev --getsize64 \/dev\/(\w+)$/m.exec(text) ?? [];
  if (written !== undefined) await guest.write(`${mebibytes}M`, { disk: written, timeout: 300_000 });
  else if (measured === undefined) throw new Error(`what does a guest do for this?\n${text}`);
  return { said: measured === undefined ? '' : String(await guest.size(measured)), code: 0 };
}
