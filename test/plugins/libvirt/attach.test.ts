// What the conformance suite can't bring about: answers that come late, wrong or not at all.
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { NewVmDisk } from '../../../core/capabilities/hypervisor.ts';
import { SltvError } from '../../../core/errors.ts';
import { attach } from '../../../plugins/libvirt/attach.ts';
import type { Sight } from '../../../plugins/libvirt/look.ts';
import type { Command } from '../../../plugins/libvirt/virsh.ts';
import { loadXml } from '../../../plugins/libvirt/xml.ts';
import { WEB } from '../../fixtures/virsh/recorded.ts';

const xml = await loadXml();
const DISK: NewVmDisk = { path: '/dev/vg0/new', format: 'raw', source: 'block', readOnly: false };
const device = { target: 'vdb', path: DISK.path, format: 'raw', readOnly: false, alias: 'virtio-disk1' };
const system = { target: 'vda', path: '/dev/vg0/web', format: 'raw', readOnly: false, alias: 'virtio-disk0' };
const sight = (live: Sight['live'], persistent: Sight['persistent'], more: Partial<Sight> = {}): Sight => ({
  name: 'web',
  isRunning: true,
  isPersistent: true,
  live,
  persistent,
  ...more,
});
const [BARE, FULL] = [sight([system], [system]), sight([system, device], [system, device])];
const LATE = new SltvError('timeout', 'libvirt/no-answer', 'no answer in time');

interface World {
  /** What the VM has, look after look; the last one stays. */
  readonly sights: readonly Sight[];
  readonly answer?: SltvError;
  readonly signal?: AbortSignal;
  readonly during?: (command: Command) => void;
}

async function attachIn(
  { sights, answer, signal = new AbortController().signal, during = () => {} }: World,
  disk: NewVmDisk = DISK,
) {
  const asked: Command[] = [];
  let looks = 0;
  const patience = { signal, deadline: 1_000 };
  const outcome = await attach(
    {
      virsh: async ([command = []]) => {
        asked.push(command);
        during(command);
        if (answer) throw answer;
        return '';
      },
      look: async () => sights[Math.min(looks++, sights.length - 1)] ?? BARE,
      xml,
      scratch: tmpdir(),
      read: patience,
      change: patience,
    },
    WEB,
    disk,
  ).catch((error: SltvError) => error);
  return { outcome, flags: asked.map((command) => command.filter((word) => /^--(live|config)$/.test(word)).join(' ')) };
}

test('an answer that did not come is no failure when the VM has the disk', async () => {
  const { outcome } = await attachIn({ sights: [BARE, FULL], answer: LATE });
  assert.is('target' in outcome && outcome.target, 'vdb');
});

test('an answer that did not come is a failure when the VM has not the disk', async () => {
  const { outcome } = await attachIn({ sights: [BARE], answer: LATE });
  assert.is(outcome, LATE);
});

test('a yes is not believed when the VM has not the disk', async () => {
  const { outcome } = await attachIn({ sights: [BARE] });
  assert.is('code' in outcome && outcome.code, 'libvirt/failed');
});

test('half a disk is not believed either', async () => {
  const { outcome } = await attachIn({ sights: [BARE, sight([system, device], [system])] });
  assert.is('code' in outcome && outcome.code, 'libvirt/failed');
});

for (const [what, before, flags] of [
  ['what neither the running VM nor its definition has is given to both', BARE, '--live --config'],
  ['what only the definition has is given to the running VM', sight([system], [system, device]), '--live'],
  ['what only the running VM has is given to the definition', sight([system, device], [system]), '--config'],
] as const) {
  test(what, async () => {
    const attached = await attachIn({ sights: [before, FULL] });
    assert.equal(attached.flags, [flags]);
    assert.is('target' in attached.outcome && attached.outcome.target, 'vdb');
  });
}

test('a transient VM is given it while it runs, one that is off at its next start', async () => {
  const transient = { isPersistent: false };
  const running = await attachIn({ sights: [sight([system], [], transient), sight([system, device], [], transient)] });
  assert.equal(running.flags, ['--live']);
  const off = { isRunning: false };
  const next = await attachIn({ sights: [sight([], [system], off), sight([], [system, device], off)] });
  assert.equal(next.flags, ['--config']);
});

test('a target that only the next start has is not free', async () => {
  const other = { ...device, path: '/dev/vg0/other', alias: undefined };
  const full = sight([system, { ...device, target: 'vdc' }], [system, other, { ...device, target: 'vdc' }]);
  const { outcome } = await attachIn({ sights: [sight([system], [system, other]), full] });
  assert.is('target' in outcome && outcome.target, 'vdc');
  const wanted = await attachIn({ sights: [sight([system], [system, other])] }, { ...DISK, target: 'vdb' });
  assert.is('code' in wanted.outcome && wanted.outcome.code, 'libvirt/target-in-use');
  assert.is('hint' in wanted.outcome && wanted.outcome.hint, 'vdc is free');
});

test('the XML that virsh reads is there while it reads, and gone after, also when it fails', async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => /^attach-.*\.xml$/.test(name));
  const before = left();
  for (const answer of [undefined, LATE]) {
    let read = '';
    const during = (command: Command) => {
      read = readFileSync(command.find((word) => word.startsWith('--file='))?.slice('--file='.length) ?? '', 'utf8');
    };
    await attachIn({ sights: [BARE, FULL], during, ...(answer ? { answer } : {}) });
    assert.match(read, '/dev/vg0/new');
    assert.equal(left(), before);
  }
});

test('whoever goes away waits for nothing more', async () => {
  const caller = new AbortController();
  const gone = new SltvError('cancelled', 'core/cancelled', 'gone');
  const { outcome } = await attachIn({
    sights: [BARE, FULL],
    signal: caller.signal,
    answer: LATE,
    during: () => caller.abort(gone),
  });
  assert.is(outcome, gone);
});

test.run();
