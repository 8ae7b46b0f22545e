// The Hypervisor suite over libvirt itself: real libvirtd, real QEMU, guests that let go of disks or don't.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Hypervisor } from '../../core/capabilities/hypervisor.ts';
import { asSltvError } from '../../core/errors.ts';
import { createLog } from '../../core/log.ts';
import { type HypervisorUnderTest, hypervisorConformance, type Source } from '../../core/testing/index.ts';
import { createHypervisor, type Deadlines } from '../../plugins/libvirt/hypervisor.ts';
import { loadXml } from '../../plugins/libvirt/xml.ts';
import { register } from '../conformance/uvu.ts';
import { domainXml } from './domain.ts';
import { Guest } from './guest.ts';
import { hostRunner } from './host-runner.ts';
import { testbed } from './index.ts';

const SIZE = 2n ** 20n;
/** A volume's: more than an image of that size ever comes to, less than one that is twice as large as the volume. */
const ROOM = 8n * SIZE;
const DIRECTORY = '/var/lib/testbed/suite';
/** Milliseconds; everything takes its time in a host without KVM. */
const PATIENT = { read: 20_000, change: 30_000, statistics: 20_000, alone: 20_000 };
const never = new AbortController().signal;

const xml = await loadXml();
const host = await testbed.host({ name: 'hypervisor', disks: ['1G'] });
test.after(() => host[Symbol.asyncDispose]());
// Words that virsh could take for something else, were they not quoted or kept from it.
const vm = defined(`on "air"; it's -7`);
const offVm = defined('--off');
await host.run(`vgcreate -q suite /dev/vda; mkdir -p ${DIRECTORY}; mkfifo ${vm.port}.{in,out} ${offVm.port}.{in,out}`);
await reset();
const guest = new Guest(host, vm.name, vm.uuid, 'tiny', vm.port);
/** Sources that nobody has now; both on a volume and in a file system. */
const spare: Source[] = [];
let made = 0;

test('a VM that hangs costs others a deadline, and an attach that it did not answer may still happen', async () => {
  await using made = await make();
  const source = async () => ({ ...(await made.source()), readOnly: false });
  await host.run(`virsh start ${offVm.uuid}`);
  const [stuck, free, late] = [await source(), await source(), await source()];
  await made.hypervisor.attach(vm.uuid, stuck, never);
  await made.hypervisor.attach(offVm.uuid, free, never);
  // So many times what a call takes in this host now, however busy it is: who does not answer then hangs.
  const begun = performance.now();
  await made.hypervisor.statistics(never);
  const plenty = Math.max(5_000, 10 * (performance.now() - begun));
  const life = new AbortController();
  const hypervisor = libvirt({ ...PATIENT, change: plenty, statistics: plenty, alone: plenty }, life.signal);
  const seen = async () => (await hypervisor.statistics(never)).map(({ path }) => path).toSorted();
  assert.equal(await seen(), [stuck.path, free.path].toSorted());
  {
    await using _hanging = await hang(vm.uuid);
    for (const _ of ['the call that meets it', 'the call after']) assert.equal(await seen(), [free.path]);
    assert.is((await hypervisor.disks(vm.uuid, never)).length, 1);
    assert.is((await hypervisor.find(vm.uuid, never))?.state, 'running');
    const failure = await hypervisor.attach(vm.uuid, late, never).catch(asSltvError);
    assert.is('kind' in failure && failure.kind, 'timeout');
  }
  await host.run(`until virsh domblklist ${vm.uuid} | grep -q ${late.path}; do :; done`);
  assert.is((await hypervisor.attach(vm.uuid, late, never)).live, true);
  await host.run(`virsh destroy ${offVm.uuid}`);
  life.abort();
});

test('a stream of events goes on with a new libvirtd, and says that it is new', async () => {
  await using made = await make();
  const life = new AbortController();
  const events = made.hypervisor.events(life.signal)[Symbol.asyncIterator]();
  assert.equal((await events.next()).value, { type: 'connected' });
  await host.run(`kill $(pidof libvirtd); while pidof libvirtd > /dev/null; do sleep 0.1; done`);
  assert.is((await made.hypervisor.vms(never).catch(asSltvError)) instanceof Error, true);
  await host.run('libvirtd -d');
  assert.equal((await events.next()).value, { type: 'connected' });
  await made.powerOff();
  for (;;) {
    const { value } = await events.next();
    if (value.type === 'vm' && value.vm === vm.uuid && value.change === 'stopped') break;
  }
  life.abort();
});

register(hypervisorConformance({ name: 'libvirt', make, patience: 120_000 }));

function libvirt(deadlines: Deadlines, life: AbortSignal): Hypervisor {
  return createHypervisor({
    run: hostRunner(host),
    xml,
    uri: 'qemu:///system',
    deadlines,
    scratch: host.directory,
    log: createLog({ level: 'error', format: 'text', write: (line) => console.error(line) }),
    life,
  });
}

/** Stops a VM's QEMU in the middle of whatever it does, until disposed of. */
async function hang(uuid: string): Promise<AsyncDisposable> {
  // In brackets, so that the pattern doesn't match the shell that looks for it.
  const signal = (name: string) => host.run(`kill -${name} $(pgrep -f '[-]uuid ${uuid}')`);
  await signal('STOP');
  return { [Symbol.asyncDispose]: async () => void (await signal('CONT')) };
}

async function make(): Promise<HypervisorUnderTest> {
  const life = new AbortController();
  const sources: Source[] = [];
  let areAsMade = true;
  const hypervisor = libvirt(PATIENT, life.signal);
  return {
    hypervisor: {
      ...hypervisor,
      resize(...words) {
        areAsMade = false;
        return hypervisor.resize(...words);
      },
    },
    vm,
    offVm,
    async source() {
      const source = spare.pop() ?? (await newSource(made % 2 === 0 ? 'block' : 'file'));
      sources.push(source);
      return source;
    },
    async tightSource() {
      const source = await newSource('block', 2n * ROOM);
      return {
        ...source,
        enlarge: async () => void (await host.run(`lvextend -q -L ${2n * ROOM + SIZE}b ${source.path}`)),
      };
    },
    async deafen() {
      await host.run(`virsh suspend ${vm.uuid}`);
      return {
        [Symbol.asyncDispose]: async () => void (await host.run(`virsh resume ${vm.uuid}`, { allowFailure: true })),
      };
    },
    async fill(target) {
      areAsMade = false;
      const size = String(await guest.size(target));
      await guest.write(size, { disk: target });
      await guest.verify(size, { disk: target });
    },
    pause: async () => void (await host.run(`virsh suspend ${vm.uuid}`)),
    powerOff: async () => void (await host.run(`virsh destroy ${vm.uuid}`)),
    async [Symbol.asyncDispose]() {
      life.abort();
      await reset();
      if (areAsMade) spare.push(...sources);
    },
  };
}

function defined(name: string) {
  const uuid = randomUUID();
  const file = join(host.directory, `${uuid}.xml`);
  const port = `${DIRECTORY}/${uuid}`;
  writeFileSync(file, domainXml({ name, uuid, kind: 'tiny', disks: [], port, memory: undefined, devices: '' }));
  return { uuid, name, file, port };
}

/** Both VMs as they were defined, the first one running, with no disks; each process takes its time in there. */
async function reset(): Promise<void> {
  await host.run(`
    define='define ${vm.file}; define ${offVm.file}'
    live=$(virsh -q 'domstate ${vm.uuid}; dumpxml ${vm.uuid}' 2>/dev/null)
    if [[ $live = running*"<domain type='qemu' id="* ]]; then
      unplug=$(grep -o "alias name='virtio-disk[0-9]*" <<< "$live" | sed "s/.*'/; detach-device-alias --live ${vm.uuid} /")
      virsh "$define $unplug"
      until [ -z "$(virsh -q domblklist ${vm.uuid})" ]; do :; done
    else
      virsh "destroy ${vm.uuid}; $define; start ${vm.uuid}" && exec 3<> ${vm.port}.out && read -r -t 60 <&3
    fi`);
}

async function newSource(source: 'block' | 'file', size = SIZE): Promise<Source> {
  made += 1;
  const path = source === 'file' ? `${DIRECTORY}/${made}.qcow2` : `/dev/suite/${made}`;
  if (source === 'block') await host.run(`lvcreate -q -y -Wn -Zn -L ${ROOM}b -n ${made} suite`);
  await host.run(`qemu-img create -q -f qcow2 ${path} ${size}`);
  return { path, format: 'qcow2', source, size };
}
