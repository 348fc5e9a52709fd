import { lengthText } from "../tune/data/lengths.js";
import type { PlanEvent, StepEvent, TuneCosts, TuneEvent } from "../tune/run/events.js";
import { type Output, type OutputStreams, printable } from "./output.js";
import { formatBytes, formatSeconds } from "./progress.js";
import { StatusLine } from "./status-line.js";

const BLOCKS = "▁▂▃▄▅▆▇█";
const CURVE_WIDTH = 24;

/**
 * What a run does, on standard error: in a terminal a line that is redrawn, with a small curve of the losses; elsewhere a
 * line every ten seconds. The path of what was tuned goes to standard output.
 */
export class TuneProgress {
  private readonly losses: number[] = [];
  private readonly status: StatusLine;

  constructor(
    private readonly output: Output,
    private readonly stream: OutputStreams["stderr"] & { readonly columns?: number } = process.stderr,
    now: () => number = () => performance.now(),
  ) {
    this.status = new StatusLine(stream, now, Number.NEGATIVE_INFINITY); // the first step shows at once
  }

  show(event: TuneEvent): void {
    switch (event.type) {
      case "data":
        this.lines(lengthText(event.lengths));
        if (event.heldOut !== null) this.lines(`held out:\n${lengthText(event.heldOut)}`);
        if (event.duplicates.count > 0) {
          const [first = []] = event.duplicates.at;
          this.lines(`${event.duplicates.count} repeat others, e.g. ${first.join(" and ")}`);
        }
        if (event.learnedHeldOut > 0) {
          this.lines(`${event.learnedHeldOut} of the held-out examples are learned, too: their loss says little`);
        }
        break;
      case "plan":
        this.lines(planText(event));
        break;
      case "step":
        this.step(event);
        break;
      case "eval": {
        const accuracy = event.accuracy === undefined ? "" : `, ${(100 * event.accuracy).toFixed(1)} % of pairs right`;
        this.lines(`step ${event.step}: held-out loss ${event.heldOutLoss.toFixed(4)}${accuracy}`);
        break;
      }
      case "checkpoint":
        if (!this.stream.isTTY) this.lines(`step ${event.step}: checkpoint ${event.path}`);
        break;
      case "note":
        this.lines(event.text);
        break;
      case "end":
        if (event.heldOut !== null) {
          this.lines(`held-out loss ${event.heldOut.before.toFixed(4)} -> ${event.heldOut.after.toFixed(4)}`);
        }
        this.lines(costText(event.costs));
        this.end();
        this.output.line(event.path);
        break;
      default:
        event satisfies never;
    }
  }

  /** Ends the line. Call it also after a failure, before the message. */
  end(): void {
    this.status.end();
  }

  private step(event: StepEvent): void {
    this.losses.push(event.loss);
    const { isTTY } = this.stream;
    if (this.output.json && !isTTY) return;
    const curve = () => (isTTY ? `${lossCurve(this.losses, CURVE_WIDTH)} ` : "");
    this.status.update(() => stepText(event, curve()), event.step === event.steps);
  }

  /** Lines that stay. */
  private lines(text: string): void {
    this.status.clear();
    for (const line of text.split("\n")) this.output.note(line);
  }
}

/** Losses from left to right as blocks of eight heights; each is the mean of its share of them. */
export function lossCurve(losses: readonly number[], width: number): string {
  const count = Math.min(width, losses.length);
  const means = Array.from({ length: count }, (_, i) => {
    const part = losses.slice(Math.floor((i * losses.length) / count), Math.floor(((i + 1) * losses.length) / count));
    return part.reduce((sum, loss) => sum + loss, 0) / part.length;
  });
  const least = Math.min(...means);
  const range = Math.max(...means) - least;
  const height = (mean: number) => (range === 0 ? 0 : Math.round(((mean - least) / range) * (BLOCKS.length - 1)));
  return means.map((mean) => BLOCKS[height(mean)]).join("");
}

function stepText({ step, steps, loss, learningRate, tokensPerSecond, secondsLeft }: StepEvent, curve: string): string {
  const left = step === steps ? "" : `, ${formatSeconds(secondsLeft)} left`;
  const rate = `${Math.round(tokensPerSecond)} tokens/s`;
  return `step ${step} of ${steps} ${curve}loss ${loss.toFixed(4)}, rate ${learningRate.toPrecision(3)}, ${rate}${left}`;
}

function costText({ tokens, seconds, peakBytes }: TuneCosts): string {
  return `${tokens.toLocaleString("en-US")} tokens in ${formatSeconds(seconds)}, ${formatBytes(peakBytes)} of memory at most`;
}

function planText(plan: PlanEvent): string {
  const { method, steps, epochs, tokens, trainableParameters, memory, activationCheckpoints } = plan;
  const count = trainableParameters.toLocaleString("en-US");
  const start = method === "full" ? ", from the base's weights in f32" : "";
  const kept = activationCheckpoints ? "computed anew" : "kept";
  return printable(
    `${method}: ${count} parameters${start}; ${steps} steps in ${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ` +
      `${tokens.toLocaleString("en-US")} tokens; about ${formatBytes(memory.totalBytes)} of memory: weights ` +
      `${formatBytes(memory.weightsBytes)}, gradients and optimizer ${formatBytes(memory.trainedBytes)}, activations ${formatBytes(memory.activationsBytes)} (${kept})`,
  );
}
