/** The transcript in the README is compared with a run: chance may differ, what the cluster answers may not. */
import { describe, expect, it } from '@jest/globals';
// @ts-expect-error plain JavaScript, as it runs without a build
import { differences } from '../../../scripts/demo/published.mjs';

const published = `$ docker compose exec node1 zistore status
leader node2:7400
epoch 4294967308
address             role      live  entries
5ad26a539990:36127  follower  yes   1
node1:7400          follower  yes   0
node2:7400          leader    yes   1
$ docker network disconnect zistore "$(docker compose ps -q node2)"
01:24:12.434 warn  role role="suspended" previous="leader"
zistore> get 1 greeting
error: no session (ZISTORE_SESSION_LOST)`;

describe('the transcript’s comparison', () => {
  it('takes another leader, epoch, container and time for the same', () => {
    const seen = `$ docker compose exec node1 zistore status
leader node1:7400
epoch 1
address            role      live  entries
aaaaaaaaaaaa:1     follower  yes   1
node1:7400         leader    yes   1
node2:7400         follower  yes   0
$ docker network disconnect zistore "$(docker compose ps -q node1)"
23:59:59.000 warn  role role="suspended" previous="leader"
zistore> get 1 greeting
error: no session (ZISTORE_SESSION_LOST)`;
    expect(differences(published, seen)).toEqual([]);
  });

  it.each([
    ['another answer', ['error: no session (ZISTORE_SESSION_LOST)', 'hello']],
    ['two leaders', ['node1:7400          follower', 'node1:7400          leader']],
    ['a member less', ['node1:7400          follower  yes   0\n', '']],
    ['a line more', ['zistore> get', 'error: oops\nzistore> get']],
    ['an end too early', ['\nerror: no session (ZISTORE_SESSION_LOST)', '']],
  ])('notices %s', (_what, [from = '', to = '']) => {
    const seen = published.replace(from, to);
    expect(seen).not.toBe(published);
    expect(differences(published, seen)).not.toEqual([]);
  });
});
