/** Every case, in the order in which they run. */
import type { Case } from './case.ts';
import { costCases } from './costs.ts';
import { failureCases } from './failures.ts';
import { holderCases } from './holders.ts';
import { localCases } from './local.ts';
import { loneCases } from './lone.ts';
import { roundTripCases } from './round-trips.ts';
import { scalingCases } from './scaling.ts';
import { thesisCases } from './thesis.ts';
import { ycsbCases } from './ycsb.ts';

export const CASES: readonly Case[] = [
  ...localCases,
  ...roundTripCases,
  ...holderCases,
  ...ycsbCases,
  ...loneCases,
  ...costCases,
  ...failureCases,
  ...thesisCases,
  ...scalingCases,
];
