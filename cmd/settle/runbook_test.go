package main

import (
	"crypto/ecdsa"
	"encoding/hex"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/testcmd"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// TestStandby rehearses "A second sequencer or submitter" of the runbook.
func TestStandby(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.serve("api")
	r.role("worker")
	first := map[string]*testcmd.Process{"sequencer": r.role("sequencer"), "submitter": r.role("submitter")}
	r.submit(2)
	r.awaitSettled()
	for role, holder := range first {
		next, third := r.role(role, "--standby", "--ops-listen", "127.0.0.1:0"), r.role(role, "--standby")
		ops := next.Await(`msg="metrics and health are served" url=(http://\S+)/metrics`)[1]
		for _, p := range []*testcmd.Process{next, third} {
			p.Await(`msg="standing by" role=` + role + ` reason=.*` + regexp.QuoteMeta(holder.Holder(t)))
		}
		r.stopped(third, nil) // while it waits
		status, why := r.get(ops + "/readyz")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.Contains(t, why, "standing by")
		status, _ = r.get(ops + "/healthz")
		require.Equal(t, http.StatusOK, status)
		r.release(holder)
		holder.Kill()
		r.submit(2)
		r.awaitSettled()
		require.Equal(t, next.Holder(t), one[string](r, "select holder from epochs where role = $1", role))
		status, why = r.get(ops + "/readyz")
		require.Equal(t, http.StatusOK, status, why)
	}
}

// TestRotationOfTheOperatorsKey rehearses the runbook's section of that name, with a
// transaction of the old key in flight.
func TestRotationOfTheOperatorsKey(t *testing.T) {
	t.Parallel()
	r, chain := manualRig(t, "SETTLE_TIMELOCK", "1s")
	submitter := r.role("submitter")
	r.role("sequencer")
	r.role("worker")
	r.serve("api")
	governor, err := devchain.DevKey(0) // of development keys the one that deploys
	require.NoError(t, err)
	operator, err := devchain.DevKey(1)
	require.NoError(t, err)
	r.submit(2)
	r.await("a settlement is in flight", func() bool {
		_, found := maybe[int64](r, "select id from settlements where status = 'sent'")
		return found
	})
	oldKey, newKey := crypto.PubkeyToAddress(governor.PublicKey), crypto.PubkeyToAddress(operator.PublicKey)
	contract := bindings.NewRollup()
	r.settings[node.EnvL1Key] = hex.EncodeToString(crypto.FromECDSA(operator))
	require.Contains(t, testcmd.Refuse(t, r.env(), "submitter", "--standby=false"), "another submitter")

	r.stopped(submitter, nil)
	require.Contains(t, testcmd.Refuse(t, r.env(), "submitter"), strings.ToLower(newKey.Hex())+" is no operator of the rollup")
	r.govern(chain, governor, contract.PackProposeOperator(newKey, true))
	r.govern(chain, governor, contract.PackActivateOperator(newKey, true))
	submitter = r.role("submitter")
	settled := func() bool {
		chain.Commit()
		return r.status().Settled.Batch > 0
	}
	r.await("the transaction of the old key is recorded", settled)
	require.Equal(t, 1, one[int](r, "select count(*) from settlements"))
	r.govern(chain, governor, contract.PackProposeOperator(oldKey, false))
	r.govern(chain, governor, contract.PackActivateOperator(oldKey, false))
	r.submit(2)
	r.await("the new key settles", func() bool {
		chain.Commit()
		return r.status().Settled.Batch == 2
	})
	require.Equal(t, newKey.Bytes(), one[[]byte](r, "select sender from settlements where batch = 2"))
	r.stopped(submitter, nil)
	r.settings[node.EnvL1Key] = hex.EncodeToString(crypto.FromECDSA(governor))
	require.Contains(t, testcmd.Refuse(t, r.env(), "submitter"), "is no operator of the rollup")
}

// govern sends a call to the contract and makes the blocks that hold it and, with a
// timelock of a second, let it take effect.
func (r *rig) govern(node *devchain.Chain, key *ecdsa.PrivateKey, call []byte) {
	r.t.Helper()
	client := r.dial()
	from := crypto.PubkeyToAddress(key.PublicKey)
	pool, err := ethclient.DialContext(r.t.Context(), r.nodeURL)
	require.NoError(r.t, err)
	defer pool.Close()
	nonce, err := pool.PendingNonceAt(r.t.Context(), from) // a settlement may be pending
	require.NoError(r.t, err)
	chainID := new(big.Int).SetUint64(r.deployment.ChainID)
	to := common.Address(r.deployment.Rollup)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chainID), &types.DynamicFeeTx{
		ChainID: chainID, Nonce: nonce, Gas: 200_000, To: &to, Data: call,
		GasFeeCap: big.NewInt(10_000_000_000), GasTipCap: big.NewInt(1_000_000_000),
	})
	require.NoError(r.t, err)
	require.NoError(r.t, client.SendTransaction(r.t.Context(), tx))
	testcmd.Await(r.t, "the call is mined", func() bool {
		node.Commit()
		receipt, err := client.TransactionReceipt(r.t.Context(), tx.Hash())
		if err != nil {
			return false
		}
		require.Equal(r.t, types.ReceiptStatusSuccessful, receipt.Status)
		return true
	})
	node.Commit()
}

// sources are the Go files of the programs that an operator runs.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"api", "cmd/settle", "internal/command", "internal/postgres", "jobs", "leader", "node", "l1", "prover", "sequencer", "store"} {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(text)
		}
	}
	return all.String()
}

var (
	loud   = regexp.MustCompile(`\.Error(?:Context)?\((?:ctx, )?"([^"]+)"`)
	quoted = regexp.MustCompile("`([^`]+)`")
)

// TestRunbookSaysWhatProgramsSay: every message at level error, by which a program asks
// for a person, has its line in the runbook, and what the runbook quotes of messages and metrics is in the programs.
func TestRunbookSaysWhatProgramsSay(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	runbook, programs := string(text), sources(t)
	messages := loud.FindAllStringSubmatch(programs, -1)
	require.Greater(t, len(messages), 8)
	var missing []string
	for _, m := range messages {
		if !strings.Contains(runbook, "`"+m[1]+"`") {
			missing = append(missing, m[1])
		}
	}
	require.Empty(t, missing, "docs/runbook.md has no line for these messages")
	_, when, found := strings.Cut(runbook, "\n## When …\n")
	require.True(t, found)
	var rows []string
	for line := range strings.Lines(when) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && !strings.Contains(cells[1], "---") {
			rows = append(rows, cells[1])
		}
	}
	require.Greater(t, len(rows), 20)
	for _, row := range rows {
		for _, quote := range quoted.FindAllStringSubmatch(row, -1) {
			// N stands for a number, {…} are labels of a metric.
			parts := strings.Split(strings.Split(quote[1], "{")[0], "N")
			require.False(t, slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(programs, part) }),
				"docs/runbook.md quotes %q, which no program says", quote[1])
		}
	}
}
