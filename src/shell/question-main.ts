/**
 * Asks one yes/no question and exits with 0 for yes, 1 for no. readline-sync blocks the process that it runs in, and
 * the shell's proxies must go on meanwhile, or all its clients would lose their sessions while somebody thinks.
 */
import readlineSync from 'readline-sync';

const question = process.argv[2] ?? 'Go on?';
const answer = readlineSync.question(`${question} (yes/no) `, {
  limit: /^(y|yes|n|no)$/i,
  limitMessage: 'Please answer yes or no.',
});
process.exit(/^y/i.test(answer) ? 0 : 1);
