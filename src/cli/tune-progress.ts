import { lengthText } from "../tune/data/lengths.js";
import type { PlanEvent, StepEvent, TuneCosts, TuneEvent } from "../tune/run/events.js";
import { type Output, type OutputStreams, printable } from "./output.js";
import { formatBytes, formatSeconds } from "./progress.js";
import { StatusLine, widthOf } from "./status-line.js";

const BLOCKS = "▁▂▃▄▅▆▇█";
const CURVE_WIDTH = 24;
const LEAST_WIDTH = 8;

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
          const { count } = event.duplicates;
          const repeat = count === 1 ? "1 repeats another" : `${count.toLocaleString("en-US")} repeat others`;
          this.lines(`${repeat}, e.g. ${first.join(" and ")}`);
        }
        if (event.learnedHeldOut > 0) {
          const also = event.learnedHeldOut === 1 ? "is learned, too: its" : "are learned, too: their";
          this.lines(
            `${event.learnedHeldOut.toLocaleString("en-US")} of the held-out examples ${also} loss says little`,
          );
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
    this.status.update(
      () => (isTTY ? narrowText(event, this.losses, widthOf(this.stream) - 1) : stepText(event, "", true)),
      event.step === event.steps,
    );
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

/** The curve takes what room there is; where there is little, the rate is left out before a number is cut. */
function narrowText(event: StepEvent, losses: readonly number[], width: number): string {
  const roomBeside = (hasRate: boolean) => width - 1 - stepText(event, "", hasRate).length;
  const hasRate = roomBeside(true) >= LEAST_WIDTH;
  const room = Math.max(LEAST_WIDTH, Math.min(CURVE_WIDTH, roomBeside(hasRate)));
  return stepText(event, `${lossCurve(losses, room)} `, hasRate);
}

function stepText(event: StepEvent, curve: string, hasRate: boolean): string {
  const { step, steps, loss, learningRate, tokensPerSecond, secondsLeft } = event;
  const left = step === steps ? "" : `, ${formatSeconds(secondsLeft)} left`;
  const speed = `${Math.round(tokensPerSecond)} tokens/s`;
  const rate = hasRate ? `, rate ${learningRate.toPrecision(3)}` : "";
  return `step ${step} of ${steps} ${curve}loss ${loss.toFixed(4)}${left}, ${speed}${rate}`;
}

function costText({ tokens, seconds, peakBytes }: TuneCosts): string {
  return `${tokens.toLocaleString("en-US")} tokens in ${formatSeconds(seconds)}, ${formatBytes(peakBytes)} of memory at most`;
}

function planText(plan: PlanEvent): string {
  const { method, steps, epochs, tokens, trainableParameters, memory, activationCheckpoints } = plan;
  const count = trainableParameters.toLocaleString("en-US");
  const start = method === "full" ? ", from the base's weights in f32" : "";
  const kept = activationCheckpoints ? "computed anew" : "kept";
  const counted = (n: number, one: string) => `${n} ${n === 1 ? one : `${one}s`}`;
  const parts = [
    `weights ${formatBytes(memory.weightsBytes)}`,
    `gradients and optimizer ${formatBytes(memory.trainedBytes)}`,
    `activations ${formatBytes(memory.activationsBytes)} (${kept})`,
    `logits ${formatBytes(memory.lossBytes)}`,
    `the program ${formatBytes(memory.programBytes)}`,
  ];
  return printable(
    `${method}: ${count} parameters${start}; ${counted(steps, "step")} in ${counted(epochs, "epoch")} of ` +
      `${tokens.toLocaleString("en-US")} tokens; about ${formatBytes(memory.totalBytes)} of memory: ${parts.join(", ")}`,
  );
}
