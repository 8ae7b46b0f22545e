// Where other hosts reach this daemon's API.
import type { CoreOptions } from '../kernel/config.ts';
import { HOST_AND_PORT } from '../kernel/listener.ts';

/** The TCP listeners, as `host:port`; `host` stands for one that listens on every address. A port that the system chooses is nobody's to know. */
export function addressesOf(listeners: CoreOptions['listen'], host: string): readonly string[] {
  return listeners.flatMap((listener) => {
    const found = 'tcp' in listener ? HOST_AND_PORT.exec(listener.tcp)?.groups : undefined;
    if (found?.host === undefined || Number(found.port) === 0) return [];
    return `${EVERYWHERE.includes(found.host) ? host : found.host}:${Number(found.port)}`;
  });
}

const EVERYWHERE = ['', '0.0.0.0', '[::]'];
