package main

import (
	"bytes"
	"encoding/json"
	"math/big"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestEndToEnd runs every role as a process: signed transfers go in over TCP, lie in
// Postgres, are proven by two workers with real Groth16 proofs, and are settled by
// the contract. Then the contract refuses whatever is changed in a proven batch.
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sequencer, submitter, api := r.role("sequencer"), r.role("submitter"), r.serve("api")
	workers := []*testcmd.Process{r.role("worker"), r.role("worker")}
	r.submit(9)
	r.awaitSettled()
	var provers []string
	for n := settle.BatchNumber(1); n <= r.status().Settled.Batch; n++ {
		proofs := r.batch(n).Proofs
		require.Len(t, proofs, 1)
		provers = append(provers, r.worker(n))
	}
	for _, prover := range provers {
		require.Contains(t, []string{workers[0].Holder(t), workers[1].Holder(t)}, prover)
	}

	r.release(submitter)
	submitter.Stop()
	settled := r.status().Settled.Batch
	r.submit(2)
	r.await("the next batch is proven", func() bool { return r.status().Proven.Batch == settled+1 })
	r.requireRefusals(settled + 1)
	r.role("submitter")
	r.awaitSettled()

	r.release(r.alive...)
	for _, p := range []*testcmd.Process{api, sequencer, workers[0], workers[1]} {
		p.Stop()
	}
}

// call is a call of the contract's settle, in parts.
type call struct {
	from       common.Address
	shape      string
	commitment *big.Int
	words      []*big.Int
	proof      []byte
}

// provenCall is the call that settles batch n, made by hand from words and proof.
func (r *rig) provenCall(n settle.BatchNumber) call {
	r.t.Helper()
	words, err := r.store.BatchWords(r.t.Context(), n)
	require.NoError(r.t, err)
	batch, err := r.store.Batch(r.t.Context(), n)
	require.NoError(r.t, err)
	envelope := batch.Proofs[0]
	c := call{from: operatorAddress(r.t, 0), shape: envelope.Shape, commitment: new(big.Int).SetBytes(envelope.Inputs[0][:])}
	c.proof, err = verifier.Calldata(envelope.Proof)
	require.NoError(r.t, err)
	for _, w := range words {
		c.words = append(c.words, new(big.Int).SetBytes(w[:]))
	}
	return c
}

func operatorAddress(t *testing.T, i int) common.Address {
	t.Helper()
	key, err := devchain.DevKey(i)
	require.NoError(t, err)
	return crypto.PubkeyToAddress(key.PublicKey)
}

func (c call) clone() call {
	c.proof, c.commitment = bytes.Clone(c.proof), new(big.Int).Set(c.commitment)
	words := make([]*big.Int, len(c.words))
	for i, w := range c.words {
		words[i] = new(big.Int).Set(w)
	}
	c.words = words
	return c
}

func (c call) message(rollup settle.Address) ethereum.CallMsg {
	var shape [32]byte
	copy(shape[:], c.shape)
	to := common.Address(rollup)
	return ethereum.CallMsg{From: c.from, To: &to, Data: bindings.NewRollup().PackSettle(shape, 1, c.commitment, c.words, c.proof)}
}

// requireRefusals changes one thing at a time of the proven batch n, the next to be
// settled. Each is refused by its own custom error, when called and when estimated.
func (r *rig) requireRefusals(n settle.BatchNumber) {
	r.t.Helper()
	node := r.dial()
	good := r.provenCall(n)
	_, err := node.CallContract(r.t.Context(), good.message(r.deployment.Rollup), nil)
	require.NoError(r.t, err, "unchanged, it is accepted")

	flip := func(v *big.Int) { v.Xor(v, big.NewInt(1)) }
	above := func(v *big.Int) { v.Add(v, fr.Modulus()) }
	const wordNumber, wordOldRoot, wordNewRoot, wordDomain, header = 0, 1, 2, 3, 5
	for name, c := range map[string]struct {
		change func(*call)
		want   string
	}{
		"word changed":             {func(c *call) { flip(c.words[len(c.words)-1]) }, "InvalidProof"},
		"fee account changed":      {func(c *call) { flip(c.words[header]) }, "InvalidProof"},
		"new root changed":         {func(c *call) { flip(c.words[wordNewRoot]) }, "InvalidProof"},
		"new root is the old":      {func(c *call) { c.words[wordNewRoot] = c.words[wordOldRoot] }, "InvalidProof"},
		"commitment changed":       {func(c *call) { flip(c.commitment) }, "InvalidProof"},
		"old root changed":         {func(c *call) { flip(c.words[wordOldRoot]) }, "WrongOldRoot"},
		"domain changed":           {func(c *call) { flip(c.words[wordDomain]) }, "WrongDomain"},
		"number ahead":             {func(c *call) { c.words[wordNumber].Add(c.words[wordNumber], big.NewInt(1)) }, "WrongNumber"},
		"word too many":            {func(c *call) { c.words = append(c.words, new(big.Int)) }, "WrongLength"},
		"word too few":             {func(c *call) { c.words = c.words[:len(c.words)-1] }, "WrongLength"},
		"header alone":             {func(c *call) { c.words = c.words[:header] }, "WrongLength"},
		"no words":                 {func(c *call) { c.words = nil }, "WrongLength"},
		"word not below r":         {func(c *call) { above(c.words[len(c.words)-1]) }, "WordNotInField"},
		"new root not below r":     {func(c *call) { above(c.words[wordNewRoot]) }, "WordNotInField"},
		"commitment not below r":   {func(c *call) { above(c.commitment) }, "CommitmentNotInField"},
		"proof cut":                {func(c *call) { c.proof = c.proof[:len(c.proof)-32] }, "WrongProofLength"},
		"proof of another batch":   {func(c *call) { c.proof = r.provenCall(n - 1).proof }, "InvalidProof"},
		"replayed":                 {func(c *call) { *c = r.provenCall(n - 1) }, "WrongNumber"},
		"not an operator":          {func(c *call) { c.from = operatorAddress(r.t, 1) }, "NotOperator"},
		"shape without a verifier": {func(c *call) { c.shape = "demo" }, "UnknownVerifier"},
	} {
		changed := good.clone()
		c.change(&changed)
		r.requireRefused(node, changed, name, c.want)
	}
	for _, bit := range flippedBits(len(good.proof)) {
		changed := good.clone()
		changed.proof[bit/8] ^= 1 << (bit % 8)
		r.requireRefused(node, changed, "flipped bit", "InvalidProof")
	}
	number, err := l1.NewClient(node, r.deployment.Rollup).BatchNumber(r.t.Context())
	require.NoError(r.t, err)
	require.Equal(r.t, n-1, number)
}

// flippedBits has bits of each coordinate of each point.
func flippedBits(bytes int) []int {
	var bits []int
	for at := 0; at < 8*bytes; at += 256 {
		bits = append(bits, at+7, at+255)
	}
	return bits
}

func (r *rig) requireRefused(node *l1.Conn, c call, name, want string) {
	r.t.Helper()
	msg := c.message(r.deployment.Rollup)
	_, err := node.CallContract(r.t.Context(), msg, nil)
	revert, ok := l1.AsRevert(err)
	require.True(r.t, ok, "%s: %v", name, err)
	require.Equal(r.t, want, revert.Name, "%s: %s", name, revert.Detail)
	_, err = node.EstimateGas(r.t.Context(), msg)
	revert, ok = l1.AsRevert(err)
	require.True(r.t, ok, "%s: %v", name, err)
	require.Equal(r.t, want, revert.Name, "%s: %s", name, revert.Detail)
}

// TestCommandsOfAWallet pays and looks by the command alone.
func TestCommandsOfAWallet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.role("sequencer")
	api := r.serve("api")
	rollup := func(command, account string, more ...string) []string {
		return append([]string{"wallet", command, "--api", r.url, "--rollup", r.deployment.Rollup.String(),
			"--chain-id", strconv.FormatUint(r.deployment.ChainID, 10), "--key", filepath.Join(r.files, account)}, more...)
	}
	to := r.genesis.Accounts[2]
	pay := rollup("send", "account-1.json", "--to-owner", to.Owner.Element().String(), "--to-l1", to.L1.String(), "--amount", "12345")
	var receipt wire.Receipt
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(), pay...), &receipt))
	r.await("the transfer is executed", func() bool {
		tx, err := r.client.Transaction(t.Context(), receipt.ID)
		require.NoError(t, err)
		return tx.Status == settle.TxExecuted
	})
	var accounts []wire.Account
	require.NoError(t, json.Unmarshal(testcmd.Succeed(t, r.env(), rollup("show", "account-2.json")...), &accounts))
	require.Len(t, accounts, 1)
	require.Equal(t, settle.AccountIndex(2), accounts[0].Index)
	require.Equal(t, "1000000012345", accounts[0].Balance.String())

	require.Contains(t, testcmd.Refuse(t, r.env(), slices.Concat(pay, []string{"--amount", "123456789012"})...), "the nearest")
	require.Contains(t, testcmd.Refuse(t, r.env(), slices.Concat(pay, []string{"--rollup", to.L1.String()})...), "the wallet signs for")
	require.Contains(t, testcmd.Refuse(t, r.env(), "wallet", "new", "--out", filepath.Join(r.files, "account-1.json"), "--l1", to.L1.String()), "a key is not overwritten")
	r.release(api)
	api.Stop()
	require.Contains(t, testcmd.Refuse(t, r.env(), pay...), "connection refused")
}
