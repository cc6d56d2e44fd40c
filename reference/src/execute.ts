/**
 * What one transaction does to accounts, by its record in D: sender, then receiver, then fee account, each read
 * after the one before is written, so that they may be the same account.
 * Source: docs/protocol.md, "Execution".
 */
import { EMPTY, LAST_NONCE, MAX_BALANCE } from "./account.js";
import { Float16, Float40 } from "./float.js";
import type { Exit, Open, TransferRecord } from "./publicdata.js";
import type { Accounts } from "./state.js";
import { Kind } from "./transaction.js";

/** Why a transaction is not executed. */
export class Refused extends Error {}

export function requireRule(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Refused(otherwise);
}

/** Executes a record and returns the exit that it makes; `open` is the account that an open record creates. */
export function execute(
  accounts: Accounts,
  feeAccounts: ReadonlyMap<bigint, bigint>,
  record: TransferRecord,
  open: Open | undefined,
): Exit | undefined {
  const { kind, from, to } = record;
  const amount = Float40.value(record.amount);
  const fee = Float16.value(record.fee);
  requireRule(amount <= MAX_BALANCE, "the amount is 2^128 or more");

  const sender = accounts.get(from);
  const { token } = sender;
  requireRule(sender.owner !== 0n, "the sender is empty");
  const feeIndex = feeAccounts.get(token);
  requireRule(feeIndex !== undefined, "the token has no fee account");
  requireRule(sender.nonce < LAST_NONCE, "the sender's nonces are used up");
  const paid = kind === Kind.exitAll ? sender.balance - fee : amount;
  requireRule(paid >= 0n && sender.balance >= paid + fee, "the balance is too low");
  accounts.set(from, { ...sender, nonce: sender.nonce + 1n, balance: sender.balance - paid - fee });

  let exit: Exit | undefined;
  switch (kind) {
    case Kind.transfer: {
      const receiver = accounts.get(to);
      requireRule(receiver.owner !== 0n, "the receiver is empty");
      requireRule(receiver.token === token, "the receiver holds another token");
      accounts.set(to, { ...receiver, balance: raised(receiver.balance, paid) });
      break;
    }
    case Kind.open: {
      requireRule(open !== undefined && open.owner !== 0n, "the new account has no owner");
      requireRule(accounts.get(to).owner === 0n, "the slot is not empty");
      accounts.set(to, { ...EMPTY, owner: open.owner, l1: open.l1, token, balance: paid });
      break;
    }
    case Kind.exit:
    case Kind.exitAll:
      requireRule(paid > 0n, "nothing is paid");
      exit = { l1: sender.l1, token, amount: paid };
      break;
    default:
      throw new Refused(`no transaction has kind ${kind}`);
  }

  const collector = accounts.get(feeIndex);
  requireRule(collector.owner !== 0n && collector.token === token, "the fee account does not hold the token");
  accounts.set(feeIndex, { ...collector, balance: raised(collector.balance, fee) });
  return exit;
}

function raised(balance: bigint, by: bigint): bigint {
  requireRule(balance + by <= MAX_BALANCE, "a balance would reach 2^128");
  return balance + by;
}
