/**
 * Which member holds a copy of which key (Z18). Never less than the truth: a member is listed before its copy can
 * exist and struck only when it has acknowledged the copy's end, or is gone itself. It belongs to incarnations, never
 * to connections.
 */
import type { Key, MemberId } from './types.ts';

const NOBODY: ReadonlySet<MemberId> = new Set();

export class Directory {
  private readonly byKey = new Map<Key, Set<MemberId>>();
  /** The other way round, so that a member that is gone can be struck everywhere. */
  private readonly byMember = new Map<MemberId, Set<Key>>();

  /** Keys with at least one holder. */
  get size(): number {
    return this.byKey.size;
  }

  holders(key: Key): ReadonlySet<MemberId> {
    return this.byKey.get(key) ?? NOBODY;
  }

  add(key: Key, member: MemberId): void {
    const holders = this.byKey.get(key);
    if (holders === undefined) this.byKey.set(key, new Set([member]));
    else holders.add(member);
    const keys = this.byMember.get(member);
    if (keys === undefined) this.byMember.set(member, new Set([key]));
    else keys.add(key);
  }

  remove(key: Key, member: MemberId): void {
    const holders = this.byKey.get(key);
    if (holders?.delete(member) && holders.size === 0) this.byKey.delete(key);
    const keys = this.byMember.get(member);
    if (keys?.delete(key) && keys.size === 0) this.byMember.delete(member);
  }

  removeMember(member: MemberId): void {
    for (const key of this.byMember.get(member) ?? []) {
      const holders = this.byKey.get(key);
      if (holders?.delete(member) && holders.size === 0) this.byKey.delete(key);
    }
    this.byMember.delete(member);
  }
}
