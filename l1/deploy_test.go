package l1_test

import (
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier"
)

func TestDeploymentIsReadBack(t *testing.T) {
	h := newHarness(t)
	d := h.deployment
	require.NoError(t, l1.CheckDeployment(t.Context(), h.client, d))
	domain := publicdata.Domain(d.ChainID, d.Rollup)
	require.Equal(t, settle.Element(domain.Bytes()), d.Domain)
	require.True(t, d.UnsafeDevKeys)
	require.NotZero(t, d.GasUsed)
	c := h.reader()
	root, err := c.Root(t.Context())
	require.NoError(t, err)
	require.Equal(t, genesisRoot, root)
	entry, err := c.Entry(t.Context(), settle.CircuitTransition, shape, 1)
	require.NoError(t, err)
	require.Equal(t, d.Verifiers, []l1.Entry{entry})
	found, err := c.FindKey(t.Context(), settle.CircuitTransition, shape, entry.KeyHash)
	require.NoError(t, err)
	require.Equal(t, entry, found)
}

func TestCheckDeploymentSaysWhatDiffers(t *testing.T) {
	h := newHarness(t)
	for name, c := range map[string]struct {
		change func(*l1.Deployment)
		want   error
	}{
		"chain":         {func(d *l1.Deployment) { d.ChainID++ }, l1.ErrWrongChain},
		"address":       {func(d *l1.Deployment) { d.Rollup[0] ^= 1 }, l1.ErrNoContract},
		"domain":        {func(d *l1.Deployment) { d.Domain[31] ^= 1 }, l1.ErrDeployment},
		"genesis root":  {func(d *l1.Deployment) { d.GenesisRoot[31] ^= 1 }, l1.ErrDeployment},
		"genesis hash":  {func(d *l1.Deployment) { d.GenesisHash[31] ^= 1 }, l1.ErrDeployment},
		"flag":          {func(d *l1.Deployment) { d.UnsafeDevKeys = false }, l1.ErrDeployment},
		"key":           {func(d *l1.Deployment) { d.Verifiers[0].KeyHash[0] ^= 1 }, l1.ErrKeyMismatch},
		"missing entry": {func(d *l1.Deployment) { d.Verifiers[0].Version = 9 }, l1.ErrUnregistered},
	} {
		t.Run(name, func(t *testing.T) {
			d := h.deployment
			d.Verifiers = append([]l1.Entry{}, d.Verifiers...)
			c.change(&d)
			require.ErrorIs(t, l1.CheckDeployment(t.Context(), h.client, d), c.want)
		})
	}
}

func TestFindKeyTellsMissingFromOther(t *testing.T) {
	h := newHarness(t)
	_, err := h.reader().FindKey(t.Context(), settle.CircuitTransition, shape, settle.KeyHash{1})
	require.ErrorIs(t, err, l1.ErrKeyMismatch)
	require.ErrorContains(t, err, "use the keys of the deployment")
	_, err = h.reader().FindKey(t.Context(), settle.CircuitTransition, "demo", settle.KeyHash{1})
	require.ErrorIs(t, err, l1.ErrUnregistered)
}

func TestDeployRefusesDevelopmentKeysWithoutTheFlag(t *testing.T) {
	h := newHarness(t)
	_, err := l1.Deploy(t.Context(), h.client, h.chain.Keys()[0], l1.DeployConfig{Delay: 7 * 24 * time.Hour, Keys: []l1.VerifierKey{h.key()}})
	require.ErrorIs(t, err, l1.ErrUnsafeKeys)
}

func TestDeployComparesTheKeyHash(t *testing.T) {
	h := newHarness(t)
	key := h.key()
	key.Hash[0] ^= 1
	_, err := h.deploy(l1.DeployConfig{Keys: []l1.VerifierKey{key}})
	require.ErrorIs(t, err, l1.ErrKeyMismatch)
}

func TestDeployRefusesBadKeysOnL1(t *testing.T) {
	h := newHarness(t)
	key := h.key()
	copy(key.Words[10:14], key.Words[6:10]) // δ = γ
	_, err := h.deploy(l1.DeployConfig{Keys: []l1.VerifierKey{key}})
	var revert *l1.RevertError
	require.ErrorAs(t, err, &revert)
	require.Equal(t, "UnsafeKey", revert.Name)
	require.Contains(t, revert.Detail, "delta is gamma")

	key.Words = [verifier.KeyWords]*big.Int{}
	for i := range key.Words {
		key.Words[i] = new(big.Int)
	}
	_, err = h.deploy(l1.DeployConfig{Keys: []l1.VerifierKey{key}})
	require.ErrorAs(t, err, &revert)
	require.Equal(t, "PointAtInfinity", revert.Name)
}

func TestWrongChainSaysTheRemedy(t *testing.T) {
	h := newHarness(t)
	_, err := l1.Dial(t.Context(), h.chain.URL(), 1)
	require.ErrorIs(t, err, l1.ErrWrongChain)
	require.ErrorContains(t, err, "point L1_URL to a node of chain 1")
	require.False(t, l1.IsUnavailable(err))
	cfg := h.config()
	cfg.ChainID = 1
	_, err = l1.NewSubmitter(t.Context(), h.client, h.rows, cfg)
	require.ErrorIs(t, err, l1.ErrWrongChain)
}

func TestUnreachableNodeIsUnavailable(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://user:secret@" + listener.Addr().String() + "/token"
	require.NoError(t, listener.Close())
	_, err = l1.Dial(t.Context(), url, 1)
	require.True(t, l1.IsUnavailable(err), "%v", err)
	require.NotContains(t, err.Error(), "secret")
	require.NotContains(t, err.Error(), "token")
}

func TestOnlyOperatorsMaySubmit(t *testing.T) {
	h := newHarness(t)
	cfg := h.config()
	cfg.Key = h.chain.Keys()[3]
	_, err := l1.NewSubmitter(t.Context(), h.client, h.rows, cfg)
	require.ErrorContains(t, err, "is no operator")

	h.prove(1, 2)
	s := h.submitter()
	h.step(s, l1.Sent)
	to := common.Address(h.deployment.Rollup)
	h.operator = h.chain.Keys()[3]
	require.Equal(t, "NotOperator", h.call(h.node.sent[0].Data()).Name)
	require.Equal(t, &to, h.node.sent[0].To())
}

// TestDeployOnAutomaticChain: the chain that the demo and `settle up` use.
func TestDeployOnAutomaticChain(t *testing.T) {
	prover, err := toycircuit.Ceremony()
	require.NoError(t, err)
	for name, mining := range map[string]devchain.Mining{"on transaction": devchain.OnTransaction, "periodic": devchain.Periodic} {
		t.Run(name, func(t *testing.T) {
			chain, err := devchain.Start(t.Context(), devchain.Config{ChainID: 77, Mining: mining})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, chain.Close()) })
			client, err := l1.Dial(t.Context(), chain.URL(), 77)
			require.NoError(t, err)
			t.Cleanup(client.Close)
			h := &harness{t: t, chain: chain, prover: prover}
			d, err := l1.Deploy(t.Context(), client, chain.Keys()[0], l1.DeployConfig{UnsafeDevKeys: true, Keys: []l1.VerifierKey{h.key()}})
			require.NoError(t, err)
			require.Equal(t, uint64(77), d.ChainID)
			require.Equal(t, l1.Domain(77, d.Rollup), d.Domain)
		})
	}
}
