/** The role that a node's user sees, and the events that its changes are. */
import type { Outbox } from './effects.ts';
import type { Role } from './status.ts';

export interface Situation {
  readonly over: boolean;
  /** Whether there is a ZooKeeper session, proven or not. */
  readonly session: boolean;
  readonly live: boolean;
  /** Whether this session's election has been read, so that it is known whose turn it is. */
  readonly electionRead: boolean;
  readonly leading: boolean;
  readonly takingOver: boolean;
}

export class Roles {
  current: Role = 'joining';
  private everLive = false;
  private readonly outbox: Outbox;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  /** To be called after each input. */
  notice(situation: Situation): void {
    const role = this.of(situation);
    this.everLive ||= situation.live;
    if (role === this.current) return;
    const previous = this.current;
    this.current = role;
    this.outbox.push({ type: 'role', role, previous });
    if (role === 'suspended' || role === 'lost') this.outbox.push({ type: 'session', event: role });
    else if (previous === 'lost' && role !== 'closed') this.outbox.push({ type: 'session', event: 'rejoined' });
  }

  /** The role in this situation, which may have come about by time alone since the last input. */
  of(situation: Situation): Role {
    if (situation.over) return 'closed';
    if (!situation.session) return this.everLive ? 'lost' : 'joining';
    if (!situation.live || !situation.electionRead) {
      // A new session that has not proven itself is still the consequence of the lost one, or of the beginning.
      return this.current === 'lost' || !this.everLive ? this.current : 'suspended';
    }
    if (situation.leading) return 'leader';
    return situation.takingOver ? 'recovering' : 'follower';
  }
}
