// The daemon's own process: processor time, memory, files, event loop, by the names that they have everywhere.
import type { Registry } from 'prom-client';

export function processMetrics(prom: typeof import('prom-client')): Registry {
  const registry = new prom.Registry();
  prom.collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: PRECISION });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  return registry;
}

/** Milliseconds between two looks at how late the event loop is: at prom-client's own 10 an idle daemon would never sleep. */
const PRECISION = 250;

/** Gauges that are called as if they counted; each has its parts under another name beside it. */
const MISNAMED = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];
