/** Signals the process group that `pid` leads: it and the helper processes that may outlive it. */
export function endGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // all have ended
  }
}
