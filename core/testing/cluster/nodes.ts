// What the checks of a cluster have in common: nodes that have joined, and waiting until others have heard.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Member } from '../../capabilities/cluster.ts';
import { never } from '../case.ts';
import type { ClusterUnderTest, NodeUnderTest } from '../cluster.ts';

export const SELF = { version: '1.2.3', format: 1, addresses: ['10.0.0.1:7070', '[::1]:7070'] };

/** Opens nodes that are members, and waits until all are seen to be up. */
export async function joined(made: ClusterUnderTest, ...names: readonly string[]): Promise<NodeUnderTest[]> {
  const nodes: NodeUnderTest[] = [];
  for (const name of names) {
    const node = await made.open(name);
    node.cluster.join(SELF);
    await eventually(
      async () => (await memberOf(node, name))?.isUp === true && isThere(await memberOf(node, name), node),
    );
    nodes.push(node);
  }
  return nodes;
}

const isThere = (member: Member | undefined, { place }: NodeUnderTest) => member?.boot === place.boot;

export async function memberOf({ cluster }: NodeUnderTest, name: string): Promise<Member | undefined> {
  return (await cluster.members(never)).find(({ node }) => node === name);
}

/**
 * Looks until it is so; the case's patience is the limit. There is no event for what another node has heard. It keeps no
 * process alive that has given up the case.
 */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10, undefined, { ref: false });
}
