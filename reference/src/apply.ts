/**
 * Executing a batch of signed transactions, and making its public data.
 * Source: docs/protocol.md, "Message m" and "Execution".
 */
import { Refused, execute, requireRule } from "./execute.js";
import type { Data, Exit, Open, TransferRecord } from "./publicdata.js";
import { Draft, type State } from "./state.js";
import { Kind, type Transaction, statementOf, verifyTransaction } from "./transaction.js";

const LAST = (1n << 32n) - 1n;

/** A batch in the making: transactions are executed one by one, and each is in it or refused. */
export class Batch {
  readonly number: bigint;
  readonly #oldRoot: bigint;
  readonly #transfers: TransferRecord[] = [];
  readonly #opens: Open[] = [];
  readonly #exits: Exit[] = [];
  readonly #tokens = new Set<bigint>();

  constructor(readonly state: State) {
    if (state.number === LAST) throw new RangeError("there are no more batches");
    this.number = state.number + 1n;
    this.#oldRoot = state.root();
  }

  /** Executes a transaction, or returns why it is refused and changes nothing. `index` is where an open opens. */
  apply(t: Transaction, index = this.state.highest + 1n): Refused | undefined {
    const draft = new Draft(this.state);
    const record = { kind: t.kind, from: t.from, to: t.kind === Kind.open ? index : t.to, amount: t.amount, fee: t.fee };
    const open = t.kind === Kind.open ? { owner: t.toOwner, l1: t.toL1 } : undefined;
    let exit: Exit | undefined;
    try {
      this.#requireSigned(t);
      requireRule(record.to <= LAST, "there is no index left");
      exit = execute(draft, this.state.feeAccounts, record, open);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
    draft.commit();
    this.#transfers.push(record);
    if (open) this.#opens.push(open);
    if (exit) this.#exits.push(exit);
    this.#tokens.add(t.token);
    return undefined;
  }

  /** Ends the batch: the state moves on, and D says how. */
  finish(): Data {
    this.state.number = this.number;
    const tokens = [...this.#tokens].sort((a, b) => (a < b ? -1 : 1));
    return {
      number: this.number,
      oldRoot: this.#oldRoot,
      newRoot: this.state.root(),
      domain: this.state.domain,
      feeAccounts: tokens.map((token) => ({ token, index: this.state.feeAccounts.get(token) as bigint })),
      l1Ops: [],
      transfers: this.#transfers,
      opens: this.#opens,
      exits: this.#exits,
    };
  }

  /** What the signer states, against the accounts as they are: the part of the rules that D does not show. */
  #requireSigned(t: Transaction): void {
    requireForm(t);
    requireRule(t.validUntil === 0n || this.number <= t.validUntil, "it is too late");
    const sender = this.state.get(t.from);
    requireRule(sender.owner === t.publicKey && sender.owner !== 0n, "another key owns the sender");
    requireRule(sender.token === t.token, "the sender holds another token");
    requireRule(sender.nonce === t.nonce, "the nonce is not the sender's");
    if (t.kind === Kind.transfer) {
      const { owner, l1 } = this.state.get(t.to);
      requireRule(owner === t.toOwner && l1 === t.toL1, "the receiver is not the signed one");
    }
    if (t.kind === Kind.exit || t.kind === Kind.exitAll) {
      requireRule(sender.l1 === t.toL1, "the exit's address is not the sender's");
    }
    requireRule(verifyTransaction(t, this.state.domain), "the signature is not valid");
  }
}

/** The form that each kind has. */
function requireForm(t: Transaction): void {
  try {
    statementOf(t, 0n);
  } catch (error) {
    throw new Refused((error as Error).message);
  }
  const { kind, to, toOwner, amount } = t;
  requireRule(kind >= Kind.transfer && kind <= Kind.exitAll, `no transaction has kind ${kind}`);
  if (kind !== Kind.transfer) requireRule(to === 0n, "there is no receiver");
  if (kind === Kind.exit || kind === Kind.exitAll) requireRule(toOwner === 0n, "an exit has no receiving owner");
  if (kind === Kind.exit) requireRule(amount !== 0n, "an exit has an amount");
  if (kind === Kind.exitAll) requireRule(amount === 0n, "an exit-all has no amount");
}
