import type { Calls, CallType, FromWorker } from "../../runtime/protocol.js";

// What tabs that share a model say to each other over a BroadcastChannel: plain data.

export type TabMessage =
  /** Of a tab that wants to use the model. `lock` is held as long as that tab wants it. */
  | { readonly kind: "hello"; readonly from: string; readonly lock: string }
  /** Of the holder: to one tab that has said hello, or to all when it begins. */
  | { readonly kind: "here"; readonly from: string; readonly to?: string }
  | TabCall
  | { readonly kind: "cancel"; readonly from: string; readonly id: number }
  /** Of the holder: an event, a result or an error of a call of `to`. */
  | { readonly kind: "answer"; readonly to: string; readonly message: FromWorker };

export type TabCall = {
  readonly [T in CallType]: {
    readonly kind: "call";
    readonly from: string;
    readonly id: number;
    readonly type: T;
    readonly params: Calls[T]["params"];
  };
}[CallType];
