// What must hold, said line by line; the exit code is the sum.

export class Checks {
  #failed = 0;

  /** @param holds the condition. @param text what was found */
  expect(holds, text) {
    console.log(`${holds ? "ok    " : "FAILED"}  ${text}`);
    if (!holds) this.#failed++;
  }

  /** Says the verdict and sets the exit code. */
  end() {
    console.log(this.#failed === 0 ? "passed" : `FAILED: ${this.#failed}`);
    process.exitCode = this.#failed === 0 ? 0 : 1;
  }
}
