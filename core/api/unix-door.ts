// A listener on a Unix socket: whoever may open it is who may use it.
import type { UnixListener } from '../kernel/listener.ts';
import { createArrivals } from './arrivals.ts';
import { closingOf, type Door, type House, tooManyConnections } from './door.ts';
import { createFront } from './front.ts';
import { listenAt, takeOver } from './socket.ts';

/** `activated`: the descriptor of a socket that listens there already. Errors: listenAt's and takeOver's. */
export async function openUnixDoor(
  { unix: path, group, mode, role }: UnixListener,
  house: House,
  activated?: number,
): Promise<Door> {
  const caller = { name: `unix:${path}`, role };
  const front = createFront(house, caller);
  const arrivals = createArrivals((socket, language, visit) => {
    const who = visit.isTooMany ? { refusal: tooManyConnections(caller.name, house.limits) } : { caller };
    front.take(socket, language === 'http2' ? 2 : 1, visit, who);
  }, house.limits);
  const at = { path, group, mode };
  const release =
    activated === undefined ? await listenAt(at, arrivals.server) : await takeOver(at, activated, arrivals.server);
  house.log.info('listening', { ...at, mode: mode.toString(8), role, isActivated: activated !== undefined });
  return {
    ...closingOf(front, arrivals),
    release,
    remarks: () => [],
  };
}
