// biome-ignore-all lint/complexity/useLiteralKeys: what is private is reached, and checked by the compiler, this way alone
/**
 * Hands out the core of a node from its first step on: a node may take over, and answer, before `openNode` resolves.
 * It is recognised by the one object that the driver passes on to it as it was given.
 */
import { Group } from '../../src/core/group.ts';

const expected = new WeakMap<object, (group: Group) => void>();

const { step } = Group.prototype;
Group.prototype.step = function announced(this: Group, input, now) {
  if (input.type === 'start') expected.get(this['options'].agreement)?.(this);
  return step.call(this, input, now);
};

/** Calls `born` with the core of the node that is opened with this agreement. */
export function expectBirth(agreement: object, born: (group: Group) => void): void {
  expected.set(agreement, born);
}
