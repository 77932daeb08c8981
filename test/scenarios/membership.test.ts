/** S01 S02: membership znodes and succession. */
import { expect, it } from '@jest/globals';
import { scenarios } from '../support/scenarios.ts';
import type { TestNode } from '../support/test-node.ts';
import { until } from '../support/wait.ts';

/** Nobody hears of it any more, in whatever way. */
function vanish(...nodes: readonly TestNode[]): void {
  for (const node of nodes) {
    node.zDown();
    node.rDown();
  }
}

scenarios('Membership and election', (cluster) => {
  it('S01 Z34: a node is listed as a member until its session has timed out', async () => {
    const node = await cluster().start();
    expect(await cluster().observer.members()).toEqual([node.address]);
    node.zDown();
    await cluster().observer.untilMember(node.address, false);
    expect(node.status.live).toBe(false);
    node.zUp();
    await cluster().observer.untilMember(node.address, true);
  });

  it('S02 Z13 Z33: the first node leads; when it is cut off, the next one does', async () => {
    const first = await cluster().start();
    await first.untilRole('leader');
    first.zDown();
    const second = await cluster().start();
    await second.untilRole('leader');
    expect(first.status.role).not.toBe('leader');
    expect(BigInt(second.status.epoch)).toBeGreaterThan(0n);
    first.zUp();
    await first.untilRole('follower');
    expect(first.status.leader).toBe(second.address);
  });

  it('S21 Z05: one or two of three followers gone, service goes on', async () => {
    const nodes = await cluster().startMany(4);
    await nodes[0]!.set('k', 'v1');
    expect(await Promise.all(nodes.map((node) => node.get('k')))).toEqual(['v1', 'v1', 'v1', 'v1']);
    vanish(nodes[3]!);
    await nodes[1]!.set('k', 'v2');
    vanish(nodes[2]!);
    await nodes[0]!.set('k', 'v3');
    expect(await nodes[1]!.get('k')).toBe('v3');
  });

  it('S21 Z13: the leader gone, service goes on after the election; three gone, the last serves what it holds', async () => {
    const nodes = await cluster().startMany(4);
    const last = nodes[3]!;
    await nodes[0]!.set('held', 'by the last one too');
    expect(await last.get('held')).toBe('by the last one too');
    const next = nodes[1]!.address;
    vanish(nodes[0]!);
    await until('the next one leads', () => last.status.leader === next, { timeoutMs: 30_000 });
    await last.set('k', 'v1');
    expect(await nodes[1]!.get('k')).toBe('v1');
    vanish(nodes[1]!, nodes[2]!);
    await last.untilRole('leader');
    expect(await last.get('held')).toBe('by the last one too');
    expect(await last.get('k')).toBe('v1');
    await last.set('k', 'v2');
    expect(await last.get('k')).toBe('v2');
  });
});
