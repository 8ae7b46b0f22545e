import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HypervisorEvent } from '../../../core/capabilities/hypervisor.ts';
import { createLog } from '../../../core/log.ts';
import { createEvents } from '../../../plugins/libvirt/events.ts';
import { createNames } from '../../../plugins/libvirt/names.ts';
import { createVirsh } from '../../../plugins/libvirt/virsh.ts';
import { recorded, recordedErrors, WEB } from '../../fixtures/virsh/recorded.ts';
import { type Said, stubRunner } from './stubs.ts';

const REGISTERED = recorded('events.txt')
  .split('\n')
  .filter((line) => line.includes('virConnectDomainEventRegisterAny'));
const event = (name: string, what = 'Stopped Destroyed') =>
  `2026-11-20 19:04:05.396+0000: event 'lifecycle' for domain '${name}': ${what}`;
const stopped = (vm: string) => ({ type: 'vm', vm, change: 'stopped', detail: 'Destroyed' });

/** virsh children that say what they are told to say, and end when they are told to. */
function scripted(answer: (line: string) => Said | Promise<Said> = () => recorded('info-running.txt')) {
  const children: Child[] = [];
  const begun: ((child: Child) => void)[] = [];
  const { run, asked } = stubRunner(answer, (signal) => {
    const child = createChild(signal);
    children.push(child);
    begun.shift()?.(child);
    return child.lines;
  });
  const logged: string[] = [];
  const lookedUp: string[] = [];
  const log = createLog({ level: 'info', format: 'text', write: (line) => logged.push(line) });
  const life = new AbortController();
  const names = createNames(createVirsh(run, 'qemu:///system'), 1_000);
  const events = createEvents({
    run,
    uri: 'qemu:///system',
    names,
    targetOf: async (_vm, alias) => {
      lookedUp.push(alias);
      return 'sda';
    },
    log,
    life: life.signal,
  });
  return {
    children,
    asked,
    logged,
    lookedUp,
    life,
    names,
    listen: (signal = new AbortController().signal) => events(signal)[Symbol.asyncIterator](),
    /** The next child that is begun. */
    nextChild: () => new Promise<Child>((resolve) => begun.push(resolve)),
  };
}

interface Child {
  readonly lines: AsyncIterable<string>;
  say(...lines: string[]): void;
  end(): void;
  readonly signal: AbortSignal;
}

function createChild(signal: AbortSignal): Child {
  const said: string[] = [];
  let over = false;
  let news = Promise.withResolvers<void>();
  const wake = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const lines = (async function* () {
    signal.addEventListener('abort', wake);
    while (!signal.aborted) {
      const line = said.shift();
      if (line !== undefined) yield line;
      else if (over) return;
      else await news.promise;
    }
  })();
  const then = (work: () => void) => () => {
    work();
    wake();
  };
  return {
    lines,
    signal,
    say: (...more) => then(() => said.push(...more))(),
    end: then(() => {
      over = true;
    }),
  };
}

type Listener = AsyncIterator<HypervisorEvent>;
const next = async (listener: Listener) => (await listener.next()).value;

/** A stream that is connected, with one listener. */
async function connected(answer?: (line: string) => Said | Promise<Said>) {
  const world = scripted(answer);
  const listener = world.listen();
  const first = next(listener);
  const [child] = world.children;
  if (!child) throw new Error('no child was begun');
  child.say(...REGISTERED);
  assert.equal(await first, { type: 'connected' });
  return { ...world, listener, child };
}

test('nothing is started before somebody listens', () => {
  assert.is(scripted().children.length, 0);
});

test('it is connected when virsh has registered for all that concerns us, and not before', async () => {
  const { listen, children } = scripted();
  const listener = listen();
  const first = next(listener);
  let isConnected = false;
  void first.then(() => {
    isConnected = true;
  });
  const upTo = REGISTERED.findIndex((line) => line.includes('eventID=25,'));
  assert.ok(upTo > 20, 'the registrations were recorded');
  children[0]?.say(...REGISTERED.slice(0, upTo));
  await new Promise((resolve) => setImmediate(resolve));
  assert.is(isConnected, false);
  children[0]?.say(...REGISTERED.slice(upTo));
  assert.equal(await first, { type: 'connected' });
});

test('events are told by uuid, and a name is asked for once', async () => {
  const { child, listener, asked } = await connected();
  child.say(event('web'), event('web'));
  assert.equal(await next(listener), stopped(WEB));
  assert.equal(await next(listener), stopped(WEB));
  assert.is(asked.length, 1);
});

test('two listeners share one child, which ends with the last of them', async () => {
  const { child, children, listener, listen } = await connected();
  const leave = new AbortController();
  const second = listen(leave.signal);
  assert.equal(await next(second), { type: 'connected' });
  child.say(event('web'));
  assert.equal([await next(listener), await next(second)], [stopped(WEB), stopped(WEB)]);
  leave.abort();
  assert.is((await second.next()).done, true);
  assert.is(child.signal.aborted, false);
  await listener.return?.();
  assert.is(child.signal.aborted, true);
  assert.is(children.length, 1);
});

test('who listens again after all left gets a child and a connected of its own', async () => {
  const { listener, listen, children } = await connected();
  await listener.return?.();
  const again = listen();
  const first = next(again);
  assert.is(children.length, 2);
  children[1]?.say(...REGISTERED);
  assert.equal(await first, { type: 'connected' });
});

test('after the stream ended there is a new one, and a new connected', async () => {
  const { child, listener, nextChild, logged } = await connected();
  const coming = nextChild();
  child.say(
    'error: Disconnected from qemu:///system due to end of file',
    'error: internal error: client socket is closed',
  );
  child.end();
  const told = next(listener);
  (await coming).say(...REGISTERED);
  assert.equal(await told, { type: 'connected' });
  assert.is(logged.length, 1);
  assert.match(logged[0] ?? '', 'Disconnected from qemu:///system');
});

test('an outage is logged once, however often it is tried', async () => {
  const { child, nextChild, logged, life } = await connected();
  for (let round = 0; round < 3; round += 1) {
    const coming = nextChild();
    if (round === 0) child.end();
    const another = await coming;
    another.say('error: failed to connect to the hypervisor');
    another.end();
  }
  life.abort();
  assert.is(logged.length, 1);
});

test('a VM whose name libvirt is slow to tell holds up no other, and its own events stay in order', async () => {
  const slow = Promise.withResolvers<Said>();
  const web = recorded('info-running.txt');
  const { child, listener } = await connected((line) => (line.includes('slow') ? slow.promise : web));
  child.say(event('slow', 'Suspended Paused'), event('slow', 'Resumed Unpaused'), event('web'));
  assert.equal(await next(listener), stopped(WEB));
  const uuid = '00000000-0000-4000-8000-00000000000a';
  slow.resolve(web.replace(WEB, uuid).replace(/^(Name: +)web/m, '$1slow'));
  const both = [await next(listener), await next(listener)];
  assert.equal(
    both.map((each) => [each.vm, each.change]),
    [
      [uuid, 'paused'],
      [uuid, 'resumed'],
    ],
  );
});

test('an event of a VM that is gone is left out', async () => {
  const { child, listener } = await connected((line) =>
    line.includes('gone')
      ? { stdout: '', stderr: recordedErrors().get('vm-missing') ?? '', code: 1 }
      : recorded('info-running.txt'),
  );
  child.say(event('gone'));
  await new Promise((resolve) => setImmediate(resolve));
  child.say(event('web'));
  assert.equal(await next(listener), stopped(WEB));
});

test('an event that can’t be told by uuid begins a new stream, so that nobody relies on the old', async () => {
  let isDown = true;
  const { child, listener, nextChild } = await connected(() =>
    isDown ? { stdout: '', stderr: recordedErrors().get('down') ?? '', code: 1 } : recorded('info-running.txt'),
  );
  const coming = nextChild();
  child.say(event('web'));
  const told = next(listener);
  const another = await coming;
  isDown = false;
  another.say(...REGISTERED);
  assert.equal(await told, { type: 'connected' });
});

test('a name that another VM has now is asked for again', async () => {
  const other = '00000000-0000-4000-8000-00000000000a';
  let text = recorded('info-running.txt');
  const { child, listener } = await connected(() => text);
  child.say(event('web'));
  assert.is((await next(listener)).vm, WEB);
  text = text.replace(WEB, other);
  child.say(event('web', 'Started Booted'), event('web'));
  assert.is((await next(listener)).vm, other);
  assert.is((await next(listener)).vm, other);
});

test('what a known VM does is told without a question to libvirt', async () => {
  const { child, listener, names, asked, lookedUp } = await connected();
  names.learn(new Map([['web', WEB]]));
  const lines = recorded('events.txt').split('\n');
  const crossed = lines.findIndex((line) => line.includes('block-threshold'));
  child.say(...lines.slice(crossed));
  const vm = WEB;
  const [target, path] = ['vda', '/dev/vg0/web'];
  assert.equal(await next(listener), { type: 'threshold', vm, target, path, threshold: 33554432n, excess: 327680n });
  assert.equal(await next(listener), { type: 'io-error', vm, target, path, reason: 'enospc' });
  assert.equal(await next(listener), { type: 'vm', vm, change: 'paused', detail: 'I/O Error' });
  assert.equal(await next(listener), { type: 'vm', vm, change: 'resumed', detail: 'Unpaused' });
  assert.equal([asked, lookedUp], [[], []]);
});

test('an I/O error of a device whose name does not say where it is is told by target all the same', async () => {
  const { child, listener, lookedUp } = await connected();
  child.say(
    `2026-11-20 19:04:05.396+0000: event 'io-error-reason' for domain 'web': /d/a (scsi0-0-0-0) pause due to enospc`,
  );
  assert.equal(await next(listener), { type: 'io-error', vm: WEB, target: 'sda', path: '/d/a', reason: 'enospc' });
  assert.equal(lookedUp, ['scsi0-0-0-0']);
});

test('when the daemon stops every stream ends', async () => {
  const { child, listener, life } = await connected();
  const end = listener.next();
  life.abort();
  assert.is((await end).done, true);
  assert.is(child.signal.aborted, true);
});

test.run();
