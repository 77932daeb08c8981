/** Asking every other member what it says of itself, for `zistore status`. Nothing of the protocol depends on it. */
import type { Calls } from './calls.ts';
import type { Channel, ChannelId, Channels } from './channels.ts';
import type { CallId } from './effects.ts';
import type { NodeReport } from './messages.ts';
import { type Epoch, type Member, type MemberId, memberId } from './types.ts';

/** How long members have to answer before they are reported without a word of their own. */
const PATIENCE_MS = 2000;

interface Question {
  readonly call: CallId;
  readonly until: number;
  /** Undefined until the member list has been read. */
  asked: Map<MemberId, { member: Member; report: NodeReport | undefined }> | undefined;
}

export class Inspection {
  private questions: Question[] = [];
  private readonly calls: Calls;
  private readonly channels: Channels;

  constructor(calls: Calls, channels: Channels) {
    this.calls = calls;
    this.channels = channels;
  }

  get wakeAt(): number {
    if (this.questions.length === 0) return Number.POSITIVE_INFINITY;
    return this.questions.reduce((soonest, { until }) => Math.min(soonest, until), Number.POSITIVE_INFINITY);
  }

  /** The caller reads the member list next, and hands it to `membersRead`. */
  start(call: CallId, now: number): void {
    this.questions.push({ call, until: now + PATIENCE_MS, asked: undefined });
  }

  membersRead(list: readonly Member[], self: Member, epoch: Epoch): void {
    for (const question of this.questions) {
      if (question.asked !== undefined) continue;
      const others = list.filter((member) => memberId(member) !== memberId(self));
      question.asked = new Map(others.map((member) => [memberId(member), { member, report: undefined }]));
      for (const member of others) {
        this.channels.dial(member, 'inspect');
        const out = this.channels.out(memberId(member));
        if (out !== undefined) this.ask(out, question.call, epoch);
      }
      this.finishIfComplete(question);
    }
  }

  channelUp(channel: Channel, epoch: Epoch): void {
    if (channel.direction !== 'out') return;
    for (const { call, asked } of this.questions) {
      if (asked?.has(channel.member)) this.ask(channel.id, call, epoch);
    }
  }

  report(from: MemberId, call: CallId, report: NodeReport): void {
    const question = this.questions.find((candidate) => candidate.call === call);
    const entry = question?.asked?.get(from);
    if (question === undefined || entry === undefined) return;
    entry.report = report;
    this.finishIfComplete(question);
  }

  wake(now: number): void {
    for (const question of this.questions.filter(({ until }) => now >= until)) this.finish(question);
  }

  /** The session is over; whoever asked is told so by the others who end calls. */
  clear(): void {
    this.questions = [];
  }

  private ask(channel: ChannelId, id: CallId, epoch: Epoch): void {
    this.channels.send(channel, { type: 'inspect', epoch, id });
  }

  private finishIfComplete(question: Question): void {
    if ([...(question.asked?.values() ?? [])].every(({ report }) => report !== undefined)) this.finish(question);
  }

  private finish(question: Question): void {
    this.questions = this.questions.filter((other) => other !== question);
    const reports = [...(question.asked?.values() ?? [])].map(
      ({ member, report }): NodeReport =>
        report ?? { address: member.address, role: 'unknown', live: false, entries: 0 },
    );
    this.calls.settle(question.call, { ok: true, reports });
    if (this.questions.length === 0) this.channels.hangupAll('inspect');
  }
}
