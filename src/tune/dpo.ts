import type { Dropout } from "../backend/ops/dropout.js";
import type { Adapter } from "../model/adapter.js";
import type { Sequence } from "./data/encode-examples.js";
import type { Trainer } from "./trainer.js";

/** Two answers to one prompt; targets are those of the answers. */
export interface Preference {
  readonly chosen: Sequence;
  readonly rejected: Sequence;
}

/** Log-probabilities of the answers of each pair, in nats. */
export interface PairLogProbs {
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

export interface DpoResult {
  /** Sum over the pairs, times `weight`. */
  readonly loss: number;
  readonly policy: PairLogProbs;
  readonly reference: PairLogProbs;
}

/**
 * Direct preference optimization (Rafailov et al. 2023). With pc, pr the log-probabilities of the chosen and the rejected
 * answer, and rc, rr those that the model without the adapter gives, each pair's loss is
 *
 *     -log sigmoid(z),  z = beta ((pc - rc) - (pr - rr)),  its slope in pc: -beta sigmoid(-z), in pr: beta sigmoid(-z)
 *
 * Adds the gradient of weight · (the sum over the pairs) to the adapter's parameters. The reference is the same model with the
 * adapter off: there is no second copy.
 *
 * @param weight 1 / (the number of pairs of the batch) for their mean
 * @param dropout of the policy's adapter, with a seed of this step's own
 */
export async function addDpoGradients(
  trainer: Trainer,
  pairs: readonly Preference[],
  adapter: Adapter,
  beta: number,
  weight: number,
  dropout: Dropout | null = null,
): Promise<DpoResult> {
  const sequences = [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)];
  const split = (logProbs: readonly number[]): PairLogProbs => ({
    chosen: logProbs.slice(0, pairs.length),
    rejected: logProbs.slice(pairs.length),
  });
  const reference = split(await trainer.logProbs(sequences, null));
  let policy: PairLogProbs = { chosen: [], rejected: [] };
  let loss = 0;
  const slopesOf = (logProbs: readonly number[]) => {
    policy = split(logProbs);
    const slopes = pairs.map((_, i) => {
      const chosen = policy.chosen[i]! - reference.chosen[i]!;
      const rejected = policy.rejected[i]! - reference.rejected[i]!;
      const z = beta * (chosen - rejected);
      loss += weight * softplus(-z);
      return (-weight * beta) / (1 + Math.exp(z));
    });
    return [...slopes, ...slopes.map((slope) => -slope)];
  };
  await trainer.addGradientsOf(sequences, adapter, slopesOf, dropout);
  return { loss, policy, reference };
}

/** Loss and margin z of each pair, without gradients. */
export async function pairLosses(
  trainer: Trainer,
  pairs: readonly Preference[],
  adapter: Adapter,
  beta: number,
): Promise<readonly { readonly loss: number; readonly margin: number }[]> {
  const sequences = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const reference = await trainer.logProbs(sequences, null);
  const policy = await trainer.logProbs(sequences, adapter);
  const gain = (i: number) => policy[i]! - reference[i]!;
  return pairs.map((_, i) => {
    const margin = beta * (gain(2 * i) - gain(2 * i + 1));
    return { loss: softplus(-margin), margin };
  });
}

/** log(1 + exp(x)); at x = -z it is -log sigmoid(z). */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
