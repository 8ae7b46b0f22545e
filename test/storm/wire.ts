// The network between one host and etcd: a wire to each member, which can be cut, softly or so that nobody hears of it.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Wires extends AsyncDisposable {
  /** Where the host finds the members. */
  readonly endpoints: readonly string[];
  /** `refused`: connections end, and new ones do. `silent`: nothing goes through, and what was sent arrives after all when it is mended. */
  cut(how: 'refused' | 'silent'): void;
  mend(): void;
}

export async function layWires(members: readonly string[]): Promise<Wires> {
  const open = new Set<Socket>();
  let state: 'whole' | 'refused' | 'silent' = 'whole';
  const servers = members.map((member) => {
    const port = Number(new URL(member).port);
    return createServer((near) => {
      if (state === 'refused') return near.destroy();
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        open.add(from);
        if (state === 'silent') from.pause();
        from.on('data', (data) => to.write(data));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          open.delete(from);
          to.destroy();
        });
      }
    }).listen(0, '127.0.0.1');
  });
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return {
    endpoints: servers.map((server) => {
      const address = server.address();
      return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
    }),
    cut(how) {
      state = how;
      for (const socket of open) how === 'refused' ? socket.destroy() : socket.pause();
    },
    mend() {
      state = 'whole';
      for (const socket of open) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
