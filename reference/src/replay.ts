/**
 * Rebuilding the state from D alone: what L1 publishes is enough to know every account.
 * Source: docs/protocol.md, "Public data D".
 */
import { execute } from "./execute.js";
import type { Data, Exit } from "./publicdata.js";
import type { State } from "./state.js";
import { Kind } from "./transaction.js";

/**
 * Executes a batch without L1 operations on the state before it; throws where D contradicts the execution, and then
 * the state is lost. Fee accounts are those that D names, whatever genesis said: the operator chooses them.
 */
export function replay(state: State, d: Data): void {
  requireEqual("the number", d.number, state.number + 1n);
  requireEqual("the domain", d.domain, state.domain);
  requireEqual("the old root", d.oldRoot, state.root());
  if (d.l1Ops.length > 0) throw new Error("L1 operations are not executed");

  const feeAccounts = new Map(d.feeAccounts.map(({ token, index }) => [token, index]));
  requireEqual("the number of tokens with fee accounts", feeAccounts.size, d.feeAccounts.length);
  const opens = d.opens.values();
  const exits: Exit[] = [];
  for (const record of d.transfers) {
    const open = record.kind === Kind.open ? opens.next().value : undefined;
    const exit = execute(state, feeAccounts, record, open);
    if (exit) exits.push(exit);
  }
  requireEqual("the number of opens without a record", [...opens].length, 0);
  requireEqual("the number of exits", d.exits.length, exits.length);
  exits.forEach((exit, i) => {
    const published = d.exits[i] as Exit;
    requireEqual("an exit's l1", published.l1, exit.l1);
    requireEqual("an exit's token", published.token, exit.token);
    requireEqual("an exit's amount", published.amount, exit.amount);
  });
  requireEqual("the new root", d.newRoot, state.root());
  state.number = d.number;
}

function requireEqual<T>(name: string, got: T, want: T): void {
  if (got !== want) throw new Error(`${name} is ${got}, expected ${want}`);
}
