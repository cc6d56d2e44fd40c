package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
)

// TestEveryKindEndToEnd takes an account from its opening to its claimed exits
// through processes, with real proofs, and rebuilds the state from L1 alone.
func TestEveryKindEndToEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.settings["SETTLE_CLAIMS_INTERVAL"] = "50ms"
	r.roles()
	r.role("worker")
	ctx := t.Context()
	wallet := func(i int) client.Wallet {
		return client.NewWallet(r.keys[i], r.deployment.ChainID, r.deployment.Rollup, r.genesis.Accounts[i].L1)
	}
	key, err := schnorr.GenerateKey(rand.Reader)
	require.NoError(t, err)
	newcomer := client.NewWallet(key, r.deployment.ChainID, r.deployment.Rollup, settle.Address{0xee, 19: 1})
	submitted := func(receipt wire.Receipt, err error) {
		t.Helper()
		require.NoError(t, err)
		r.ids = append(r.ids, receipt.ID)
	}
	executed := func() {
		t.Helper()
		r.await("all is executed", func() bool {
			tx := r.status().Transactions
			require.Zero(t, tx.Rejected)
			return tx.Accepted == 0
		})
	}
	submitted(r.client.Open(ctx, wallet(1), newcomer.Address(), 0, settle.NewAmount(50_000)))
	executed()
	submitted(r.client.Pay(ctx, newcomer, wallet(2).Address(), 0, settle.NewAmount(1_000)))
	submitted(r.client.Exit(ctx, newcomer, 0, settle.NewAmount(7_000)))
	submitted(r.client.Exit(ctx, wallet(2), 0, settle.NewAmount(33)))
	executed()
	submitted(r.client.ExitAll(ctx, newcomer, 0))
	r.awaitSettled()

	claims := r.requireExits(newcomer)
	require.Len(t, claims, 2)
	require.Equal(t, settle.NewAmount(7_000), claims[0].Amount)
	left, err := r.client.Accounts(ctx, newcomer.Address())
	require.NoError(t, err)
	require.Zero(t, left[0].Balance)
	r.requireClaims(newcomer, claims)
	r.requireRebuilt()
	r.requireProofs(rigAccounts + 1)
}

// requireExits compares the exits root of every batch on L1 with the batch's public
// data, and returns what the wallet can claim.
func (r *rig) requireExits(w client.Wallet) []wire.Claim {
	r.t.Helper()
	ctx := r.t.Context()
	contract := l1.NewClient(r.dial(), r.deployment.Rollup)
	var mine []wire.Claim
	for n := settle.BatchNumber(1); n <= r.status().Settled.Batch; n++ {
		stored, err := r.store.BatchWords(ctx, n)
		require.NoError(r.t, err)
		words := make([]fr.Element, len(stored))
		for i := range stored {
			require.NoError(r.t, words[i].SetBytesCanonical(stored[i][:]))
		}
		d, err := publicdata.Parse(words)
		require.NoError(r.t, err)
		root, err := contract.ExitsRoot(ctx, n)
		require.NoError(r.t, err)
		require.Equal(r.t, publicdata.ExitsRoot(n, d.Exits), root, "batch %d", n)
		exits, err := r.client.BatchExits(ctx, n)
		require.NoError(r.t, err)
		require.Len(r.t, exits.Claims, len(d.Exits))
		for _, c := range exits.Claims {
			require.Equal(r.t, root, c.ExitsRoot)
			if c.L1 == w.Address().L1 {
				mine = append(mine, c)
			}
		}
	}
	return mine
}

// requireClaims claims by command: once each, whatever is said meanwhile.
func (r *rig) requireClaims(w client.Wallet, claims []wire.Claim) {
	r.t.Helper()
	list := func(args ...string) (listed []wire.Claim) {
		r.t.Helper()
		out := testcmd.Succeed(r.t, r.env(), append([]string{"wallet", "claims", "--api", r.url, "--l1", w.Address().L1.String()}, args...)...)
		require.NoError(r.t, json.Unmarshal(out, &listed))
		require.Len(r.t, listed, len(claims))
		return listed
	}
	claim := func(batch settle.BatchNumber, index uint32, more ...string) []string {
		return append([]string{"wallet", "claim", "--api", r.url, "--rollup", r.deployment.Rollup.String(),
			"--batch", strconv.FormatUint(uint64(batch), 10), "--index", strconv.FormatUint(uint64(index), 10)}, more...)
	}
	// What the API says without an L1 node of the wallet's.
	told := func(want ...bool) {
		r.await("the API says which exits are claimed", func() bool {
			for i, c := range list() {
				if c.Claimed == nil || *c.Claimed != want[i] {
					return false
				}
			}
			return true
		})
	}
	told(false, false)
	first := claims[0]
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), claim(first.Batch, first.Index)...), "a claim pays nothing")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), claim(first.Batch, 9, "--pays-nothing")...), "there is none at place 9")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), claim(99, 0, "--pays-nothing")...), "not_found")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), claim(first.Batch, first.Index, "--pays-nothing", "--rollup", "0x12")...), "--rollup")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(node.EnvL1Key, ""), claim(first.Batch, first.Index, "--pays-nothing")...), node.EnvL1Key)
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), "wallet", "claims", "--api", r.url), "whose exits?")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), "wallet", "claims", "--api", r.url, "--l1", "0x1"), "--l1")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), "wallet", "claims", "--api", r.url, "--l1", first.L1.String(), "--rollup", first.L1.String()), "no rollup contract")

	var report claimReport
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(), claim(first.Batch, first.Index, "--pays-nothing")...), &report))
	require.Equal(r.t, first.Amount, report.Amount)
	require.Zero(r.t, report.Paid)
	require.False(r.t, report.AlreadyClaimed)
	again := report
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(), claim(first.Batch, first.Index, "--pays-nothing")...), &again))
	report.AlreadyClaimed = true
	require.Equal(r.t, report, again, "the claim that was made, and no other")
	told(true, false)
	require.Equal(r.t, report.TxHash, *list()[0].ClaimTx)
	for i, c := range list("--rollup", r.deployment.Rollup.String()) {
		require.Equal(r.t, i == 0, *c.Claimed, "exit %d of batch %d", c.Index, c.Batch)
	}
}

// requireRebuilt rebuilds by command and compares with API, database and contract. A
// changed genesis is refused.
func (r *rig) requireRebuilt() {
	r.t.Helper()
	accounts := filepath.Join(testcmd.NewDir(r.t), "accounts.json")
	rebuild := func(genesis string, more ...string) []string {
		return append([]string{"rebuild", "--rollup", r.deployment.Rollup.String(), "--genesis", genesis}, more...)
	}
	var report rebuildReport
	require.NoError(r.t, json.Unmarshal(testcmd.Succeed(r.t, r.env(node.EnvL1Key, "", node.EnvDatabase, ""), rebuild(r.genesisFile(), "--out", accounts)...), &report))
	status := r.status()
	require.Equal(r.t, status.Settled.Root, report.Root)
	require.Equal(r.t, status.Settled.Batch, report.Batches)
	require.Equal(r.t, len(r.ids), report.Transactions)
	require.Equal(r.t, 1, report.Opens)
	require.Equal(r.t, 3, report.Exits)
	root, err := l1.NewClient(r.dial(), r.deployment.Rollup).Root(r.t.Context())
	require.NoError(r.t, err)
	require.Equal(r.t, root, report.Root)
	var rebuilt []rebuiltAccount
	b, err := os.ReadFile(accounts)
	require.NoError(r.t, err)
	require.NoError(r.t, json.Unmarshal(b, &rebuilt))
	require.Len(r.t, rebuilt, rigAccounts+1)
	for _, a := range rebuilt {
		now, err := r.client.Account(r.t.Context(), a.Index)
		require.NoError(r.t, err)
		require.Equal(r.t, rebuiltAccount{now.Index, now.Owner, now.Token, now.Nonce, now.Balance, now.L1}, a)
	}

	tampered := *r.genesis
	tampered.Accounts = append(tampered.Accounts[:0:0], tampered.Accounts...)
	tampered.Accounts[1].Balance = settle.NewAmount(1)
	b, err = json.Marshal(&tampered)
	require.NoError(r.t, err)
	wrong := filepath.Join(testcmd.NewDir(r.t), "genesis.json")
	require.NoError(r.t, os.WriteFile(wrong, b, 0o600))
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), rebuild(wrong)...), "use the file of that deployment")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), rebuild(r.genesisFile(), "--from", strconv.FormatUint(report.Block, 10))...), "begin the search at the block of the deployment")
	require.Contains(r.t, testcmd.Refuse(r.t, r.env(), rebuild(r.genesisFile(), "--rollup", r.genesis.Accounts[0].L1.String())...), "no rollup contract")
}
