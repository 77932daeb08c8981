/** Mutual TLS: both sides of a connection show a certificate of the cluster's authority, or are refused. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { numbered, numbers } from '../../conformance/transport/harness.ts';
import { until } from '../../support/wait.ts';
import { Rig } from './rig.ts';

const pem = (name: string) => readFileSync(new URL(`certificates/${name}`, import.meta.url));
const files = (node: string, authority = node) => ({
  key: pem(`${node}-node.key`),
  cert: pem(`${node}-node.pem`),
  ca: pem(`${authority}-ca.pem`),
});

describe('mutual TLS', () => {
  const rig = new Rig();
  afterEach(() => rig.close());

  it('connects nodes with certificates of the same authority', async () => {
    const [a, b] = [await rig.node(1, { tls: files('cluster') }), await rig.node(2, { tls: files('cluster') })];
    await rig.connect(a, b, 2);
    a.transport.send(a.live('out')[0] as number, numbered(1));
    await until('the message', () => numbers(b).includes(1));
  });

  it.each([
    ['the dialled shows a certificate of another authority', files('cluster'), files('stranger', 'cluster')],
    ['the dialler shows a certificate of another authority', files('stranger', 'cluster'), files('cluster')],
    ['the dialled speaks no TLS', files('cluster'), undefined],
  ])('refuses when %s', async (_what, dialler, dialled) => {
    const [a, b] = [await rig.node(1, { tls: dialler }), await rig.node(2, { tls: dialled })];
    a.transport.dial(b.member(2));
    await until('refused', () => a.of('refused').length >= 1);
    expect(a.of('refused')[0]).toMatchObject({ peer: b.member(2), code: 'ZISTORE_UNAUTHORIZED' });
    expect([a.of('up'), b.of('up')]).toEqual([[], []]);
  });

  it('never lets a dialler without TLS up', async () => {
    const [a, b] = [await rig.node(1), await rig.node(2, { tls: files('cluster') })];
    const c = await rig.node(3, { tls: files('cluster') });
    a.transport.dial(b.member(2));
    await rig.connect(c, b, 2);
    expect(a.of('up')).toEqual([]);
    expect(b.of('up').map(({ peer }) => peer)).toEqual([c.member(3)]);
  });

  it('closes on who is silent in the middle of TLS', async () => {
    const node = await rig.node(1, { tls: files('cluster') });
    await rig.tcp(node).closed;
  });
});
