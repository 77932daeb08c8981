/** What a parent makes of a worker that does not do as it should. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Member } from '../../faults/member.ts';
import { Timeline } from '../../faults/timeline.ts';
import type { Command } from '../../faults/wire.ts';

interface Played {
  readonly timeline: Timeline;
  readonly member: Member;
  say(text: string): void;
  end(): Promise<void>;
}

/** A worker that answers as `answer` says, or not at all. */
function play(answer: (command: Command) => unknown = () => undefined): Played {
  const [stdin, stdout, timeline] = [new PassThrough(), new PassThrough(), new Timeline()];
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  stdin.on('data', (chunk) => {
    for (const line of String(chunk).trim().split('\n')) {
      const command = JSON.parse(line) as Command;
      const r = answer(command);
      if (r !== undefined && 'id' in command)
        stdout.write(`${JSON.stringify({ ev: 'answer', id: command.id, ok: true, r })}\n`);
    }
  });
  const member = new Member({ stdin, stdout, ended }, timeline);
  void member.start({ zookeeper: 'unused', sessionTimeoutMs: 1000, tickTimeMs: 500 }).catch(() => {});
  return {
    timeline,
    member,
    say: (text) => void stdout.write(text),
    end: async () => {
      stdout.end();
      end();
      await member.ended;
    },
  };
}

describe('operations that never end', () => {
  it('are named when the worker is to be quiet', async () => {
    const { member, end } = play(({ do: what }) => (what === 'status' ? { underWay: ['put k for 9.0 s'] } : undefined));
    await expect(member.quiet(50)).rejects.toThrow(/client 1 .* do not end within 50 ms: put k for 9.0 s/);
    await end();
  });

  it('are none where it says in time that it is', async () => {
    const { member, end } = play(() => ({}));
    await member.quiet(5000);
    await end();
  });
});

describe('a line that cannot be understood', () => {
  const HALF = '{"ev":"intent","e":{"c":1,';
  const WHOLE = '{"ev":"session","what":"suspended","at":1}\n';

  it('may be the last one of a worker that was killed', async () => {
    const { timeline, member, say, end } = play();
    say(WHOLE + HALF);
    timeline.killed(member.client, 1);
    await end();
    expect(timeline.unexpected).toEqual({});
  });

  it('is a defect in one that ended otherwise', async () => {
    const { timeline, say, end } = play();
    say(WHOLE + HALF);
    await end();
    expect(timeline.unexpected).toEqual({ garbled: 1 });
  });

  it('is a defect where others follow, even if it is killed then', async () => {
    const { timeline, member, say, end } = play();
    say(`${HALF}\n${WHOLE}`);
    timeline.killed(member.client, 1);
    await end();
    expect(timeline.unexpected).toEqual({ garbled: 1 });
  });
});
