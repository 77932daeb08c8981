/**
 * What a leader answers to the members' requests. What their writes came to it keeps, until they have settled it, so
 * that a write sent again on a new connection is answered and not carried out again.
 */
import type { ChannelId, Channels } from './channels.ts';
import type { Answer, RefusalReason } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Copy, Epoch, Version } from './types.ts';

export class Answers {
  private readonly epoch: Epoch;
  private readonly channels: Channels;

  constructor(epoch: Epoch, channels: Channels) {
    this.epoch = epoch;
    this.channels = channels;
  }

  value(channel: ChannelId, id: number, copy: Copy | undefined, holder: boolean): void {
    const { epoch } = this;
    if (copy === undefined) this.channels.send(channel, { type: 'value', epoch, id, holder });
    else {
      const found = { value: copy.value, version: copy.version };
      this.channels.send(channel, { type: 'value', epoch, id, found, holder });
    }
  }

  refuseRead(channel: ChannelId, id: number, reason: RefusalReason, detail?: string): void {
    this.channels.send(channel, this.refusal(id, reason, detail));
  }

  written(peer: Peer, id: number, version: Version, existed: boolean, holder: boolean): void {
    this.answerWrite(peer, id, { type: 'written', epoch: this.epoch, id, version, existed, holder });
  }

  refuseWrite(peer: Peer, id: number, reason: RefusalReason, detail?: string): void {
    this.answerWrite(peer, id, this.refusal(id, reason, detail));
  }

  /** Says once more what a write came to. `leads`: this leader holds its lease. */
  again(peer: Peer, known: Answer, leads: boolean): void {
    this.tell(peer, known);
    // A refusal of before, after which the sender waits to hear that this leader leads again: it may by now.
    if (known.type !== 'refused' || !leads || peer.into === undefined) return;
    this.channels.send(peer.into, { type: 'leading', epoch: this.epoch });
  }

  private answerWrite(peer: Peer, id: number, answer: Answer): void {
    const isAbandoned = peer.abandoned.size > 0 && peer.abandoned.delete(id);
    if (isAbandoned || id < peer.settled) peer.writes.delete(id);
    else peer.writes.set(id, answer);
    this.tell(peer, answer);
  }

  /** An answer goes to the channel on which the member's requests come now; the one it asked on may be gone. */
  private tell(peer: Peer, answer: Answer): void {
    if (peer.into !== undefined) this.channels.send(peer.into, answer);
  }

  private refusal(id: number, reason: RefusalReason, detail: string | undefined): Answer {
    const refused = { type: 'refused', epoch: this.epoch, id, reason } as const;
    const isLimit = reason === 'limit' || reason === 'busy';
    return isLimit && detail !== undefined ? { ...refused, detail } : refused;
  }
}
