import { lookup as systemLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { GemmaError } from "../base/errors.js";

/** All addresses of a host name. */
export type Resolver = (host: string) => Promise<readonly string[]>;

export const systemResolver: Resolver = async (host) =>
  (await systemLookup(host, { all: true })).map((answer) => answer.address);

/**
 * Whether downloads may connect to `address`: the public Internet only. Loopback, private, link-local (cloud
 * metadata), carrier-grade NAT, unique-local, IPv4-mapped, reserved and multicast addresses are not.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  // NAT64 (64:ff9b::/96): networks with IPv6 only reach IPv4 hosts this way, so the IPv4 inside decides.
  if (range === "rfc6052") return isPublicAddress(parsed.toByteArray().slice(12).join("."));
  return range === "unicast";
}

/**
 * The lookup of a connection: it hands on checked addresses only, so that the address that was checked is the
 * address that is connected to, whatever a second DNS answer would say.
 */
export function guardedLookup(resolve: Resolver, isAllowed: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      (found) => {
        const wanted = options.family === 4 || options.family === 6 ? options.family : undefined;
        const answers = found
          .filter(isAllowed)
          .map((address) => ({ address, family: address.includes(":") ? 6 : 4 }))
          .filter((answer) => wanted === undefined || answer.family === wanted);
        const first = answers[0];
        if (first === undefined) callback(forbiddenAddress(host, found.join(", ")), "", 0);
        else if (options.all) callback(null, answers);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}

export function forbiddenAddress(host: string, got: string): GemmaError {
  return new GemmaError("ERR_FORBIDDEN_ADDRESS", `${host}: must have a public address, got ${got}`, {
    hint: "download the file by other means and give its path",
  });
}
