import { expect, test, vi } from "vitest";
import { PAGE_ROWS } from "../backend/kv.js";
import { Followers } from "./followers.js";
import type { Job } from "./job.js";
import { resolveRequest } from "./options.js";
import { ScoreJob } from "./score-job.js";

/** A job that scores its last token: all before it can come from another one. */
function job(ids: readonly number[], salt = ""): Job {
  const terms = { ...resolveRequest({ cacheSalt: salt }), adapter: null };
  const setup = { ids, first: ids.length - 1, after: [], terms, top: 0, onLogits: null };
  return new ScoreJob(setup, { done() {}, fail() {} });
}

const tokens = (count: number, first = 0) => Array.from({ length: count }, (_, i) => first + i);
const none = () => 0;

test("who begins like a running prompt waits for the whole pages that both have", () => {
  const leader = job(tokens(100));
  const follower = job([...tokens(40), 999, ...tokens(100)]);
  expect(new Followers().leadOf(follower, [leader], none)).toEqual({ leader, until: 2 * PAGE_ROWS });
  expect(new Followers().leadOf(job(tokens(100)), [leader], none)).toEqual({ leader, until: 6 * PAGE_ROWS });
});

test("the longest common beginning leads", () => {
  const [short, long] = [job(tokens(20)), job(tokens(90))];
  expect(new Followers().leadOf(job(tokens(100)), [short, long], none)?.leader).toBe(long);
});

test.each<[string, readonly number[], string, number, number]>([
  ["another salt", tokens(100), "salt", 0, 0],
  ["less than a page alike", [...tokens(15), 7, ...tokens(100)], "", 0, 0],
  ["another first token", tokens(100, 1), "", 0, 0],
  ["a leader past what is shared", [...tokens(40), 999, ...tokens(100)], "", 40, 32],
  ["a leader behind what is remembered", tokens(100), "", 16, 32],
  ["nothing more than is remembered", [...tokens(40), 999, ...tokens(100)], "", 32, 32],
])("nobody waits: %s", (_, ids, salt, computed, known) => {
  const leader = job(tokens(100));
  leader.computed = computed;
  expect(new Followers().leadOf(job(ids, salt), [leader], () => known)).toBe(null);
});

test("a lead holds until its pages are computed, without another look; it ends with its leader", () => {
  const followers = new Followers();
  const [leader, follower] = [job(tokens(100)), job(tokens(70))];
  const known = vi.fn(none);
  expect(followers.leadOf(follower, [leader], known)?.until).toBe(64);
  leader.computed = 48;
  expect(followers.leadOf(follower, [leader], known)?.until).toBe(64);
  expect(known).toHaveBeenCalledTimes(1);
  expect(followers.leadOf(follower, [], known)).toBe(null);
  leader.computed = 64;
  expect(followers.leadOf(follower, [leader], () => 64)).toBe(null);
});
