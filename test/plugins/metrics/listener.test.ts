import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { listen } from '../../../plugins/metrics/listener.ts';
import { keptLog } from '../../core/kernel/kit.ts';
import { freePorts } from '../../fixtures/ports.ts';

const contentType = 'text/plain; version=0.0.4; charset=utf-8';
const settings = async (more: { scrape?: () => Promise<string>; again?: number } = {}) => {
  const [port = 0] = await freePorts(1);
  const { log, lines } = keptLog();
  const options = { address: '127.0.0.1', port, contentType, log, scrape: async () => 'sltv_up 1\n', ...more };
  return { options, lines, at: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init) };
};

test('/metrics answers with the scrape, as Prometheus expects its type to be', async () => {
  const { options, at } = await settings();
  await using _listener = await listen(options);
  const answer = await at('/metrics?name[]=x');
  assert.equal(
    [answer.status, answer.headers.get('content-type'), await answer.text()],
    [200, contentType, 'sltv_up 1\n'],
  );
  assert.is((await at('/metrics', { method: 'HEAD' })).status, 200);
});

test('everything else says where the metrics are, or that there is nothing', async () => {
  const { options, at } = await settings();
  await using _listener = await listen(options);
  assert.match(await (await at('/')).text(), '/metrics');
  assert.is((await at('/debug')).status, 404);
  const post = await at('/metrics', { method: 'POST', body: 'x'.repeat(100_000) });
  assert.equal([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
});

test('a scrape that fails is a 500 and a line in the log, and the next one is answered', async () => {
  let fails = true;
  const { options, at, lines } = await settings({
    scrape: async () => {
      if (fails) throw new Error('it broke');
      return 'sltv_up 1\n';
    },
  });
  await using _listener = await listen(options);
  assert.is((await at('/metrics')).status, 500);
  assert.ok(lines.some(({ level, message }) => level === 'error' && message === 'a scrape failed'));
  fails = false;
  assert.is((await at('/metrics')).status, 200);
});

test('an address that is taken stops nobody: it is said once, and served when it is free', async () => {
  const { options, at, lines } = await settings({ again: 5 });
  const other = createServer().listen(options.port, '127.0.0.1');
  await once(other, 'listening');
  await using _listener = await listen(options);
  const served = new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (!lines.some(({ message }) => message === 'metrics are served')) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  other.close();
  await served;
  assert.is(await (await at('/metrics')).text(), 'sltv_up 1\n');
  assert.is(lines.filter(({ level }) => level === 'error').length, 1);
});

test('when it ends the port is free, also beneath a client that stays connected', async () => {
  const { options, at } = await settings();
  {
    await using _listener = await listen(options);
    await (await at('/metrics')).text();
  }
  await mustFail(at('/metrics'));
  await using _again = await listen(options);
  assert.is((await at('/metrics')).status, 200);
});

async function mustFail(work: Promise<unknown>): Promise<void> {
  const outcome = await work.then(
    () => 'it answered',
    () => 'it failed',
  );
  assert.is(outcome, 'it failed');
}

test.run();
