/** How often and from which seed: read from the environment that `test/fuzz/run.ts` sets. */
import fc from 'fast-check';

fc.configureGlobal({
  seed: Number(process.env.FUZZ_SEED),
  numRuns: Number(process.env.FUZZ_RUNS),
  // A failure is told with the smallest input that shows it, found within a minute at most.
  interruptAfterTimeLimit: 300_000,
  markInterruptAsFailure: false,
});
