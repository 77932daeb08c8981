/** The core's side of a ZooKeeper session over a Tree, each reply given by hand. */
import type { ZkReply } from '../../../src/core/coordination.ts';
import type { Effect } from '../../../src/core/effects.ts';
import { ZkRequests } from '../../../src/core/zk.ts';
import { effectsOf, paths, Tree } from './support.ts';

export function zkOf(tree = new Tree()) {
  const outbox: Effect[] = [];
  const zk = new ZkRequests(1, outbox);
  let answered = 0;
  const next = () => effectsOf(outbox, 'zk')[answered];
  const answer = (reply?: ZkReply, now = 0): void => {
    const due = next();
    if (due === undefined) throw new Error('nothing is asked');
    answered += 1;
    zk.reply(due.request, reply ?? tree.apply(due.operation, 's'), now);
  };
  const answerAll = (): void => {
    while (next() !== undefined || tree.fired.length > 0) {
      const fired = tree.fired.shift();
      if (fired === undefined) answer();
      else zk.watch(fired.path, fired.kind, 0);
    }
  };
  return { tree, zk, answer, answerAll, next, asked: () => effectsOf(outbox, 'zk').length };
}

export function directories(tree: Tree): Tree {
  for (const path of paths.directories) tree.write(path, '');
  return tree;
}
