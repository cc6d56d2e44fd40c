/**
 * The state of the rollup: accounts and the tree over them, the fee accounts, the last batch.
 * Source: docs/protocol.md, "Accounts and tree" and "Execution".
 */
import { type Account, EMPTY, accountLeaf } from "./account.js";
import { Tree } from "./tree.js";

/** Accounts by index. Those that are absent are empty. */
export interface Accounts {
  get(index: bigint): Readonly<Account>;
  set(index: bigint, account: Account): void;
}

export class State implements Accounts {
  readonly #accounts = new Map<bigint, Readonly<Account>>();
  readonly #tree = new Tree();
  readonly #changed = new Set<bigint>();
  /** The highest index that holds an account, -1 if there is none. */
  highest = -1n;

  constructor(
    readonly domain: bigint,
    /** Index of the fee account of each token. */
    readonly feeAccounts: ReadonlyMap<bigint, bigint>,
    /** The last batch; genesis is batch 0. */
    public number = 0n,
  ) {}

  get(index: bigint): Readonly<Account> {
    return this.#accounts.get(index) ?? EMPTY;
  }

  set(index: bigint, account: Account): void {
    this.#accounts.set(index, account);
    this.#changed.add(index);
    if (index > this.highest) this.highest = index;
  }

  /** The root of the tree, brought up to date. */
  root(): bigint {
    this.#update();
    return this.#tree.root;
  }

  /** The 48 siblings that prove the account at `index`. */
  proof(index: bigint): bigint[] {
    this.#update();
    return this.#tree.proof(index);
  }

  #update(): void {
    this.#tree.update(new Map([...this.#changed].map((index) => [index, accountLeaf(this.get(index))])));
    this.#changed.clear();
  }
}

/** Changes on top of other accounts, which take effect together or not at all. */
export class Draft implements Accounts {
  readonly #changes = new Map<bigint, Account>();

  constructor(private readonly below: Accounts) {}

  get(index: bigint): Readonly<Account> {
    return this.#changes.get(index) ?? this.below.get(index);
  }

  set(index: bigint, account: Account): void {
    this.#changes.set(index, account);
  }

  commit(): void {
    for (const [index, account] of this.#changes) this.below.set(index, account);
    this.#changes.clear();
  }
}
