package l1_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// timelock is longer than blocks that are made in a row take the time ahead.
const timelock = 30 * 24 * time.Hour

// governed is a rollup with a timelock whose registry has no aggregate verifier.
type governed struct {
	*harness
	fold *folder
}

func newGoverned(t *testing.T) *governed {
	t.Helper()
	g := &governed{newHarness(t), newFolder(t)}
	var err error
	g.deployment, err = g.deploy(l1.DeployConfig{Operators: []settle.Address{address(g.operator)}, Delay: timelock})
	require.NoError(t, err)
	return g
}

// registrar signs with key at a time that lies so far behind the present.
func (g *governed) registrar(key *ecdsa.PrivateKey, later time.Duration) (*l1.Registrar, error) {
	return g.registrarOn(g.client, key, later)
}

func (g *governed) registrarOn(node l1.Node, key *ecdsa.PrivateKey, later time.Duration) (*l1.Registrar, error) {
	return l1.NewRegistrar(g.t.Context(), node, key, l1.RegistrarConfig{
		ChainID: g.chain.ChainID(), Rollup: g.deployment.Rollup, DeployBlock: g.deployment.Block, Poll: 2 * time.Millisecond, Logger: g.log,
		Now: func() time.Time { return time.Now().Add(later) },
	})
}

func (g *governed) governor(later time.Duration) *l1.Registrar {
	g.t.Helper()
	r, err := g.registrar(g.chain.Keys()[0], later)
	require.NoError(g.t, err)
	return r
}

func (g *governed) propose(later time.Duration) (l1.Registration, error) {
	g.t.Helper()
	defer g.mine()()
	return g.governor(later).Propose(g.t.Context(), g.fold.key())
}

func (g *governed) activate(later time.Duration) (l1.Registration, error) {
	g.t.Helper()
	defer g.mine()()
	return g.governor(later).Activate(g.t.Context(), settle.CircuitAggregate, groupShape, g.fold.hash)
}

// list is the registry now.
func (g *governed) list() []l1.Registration {
	g.t.Helper()
	all, err := g.reader().Registry(g.t.Context(), g.deployment.Block, time.Now())
	require.NoError(g.t, err)
	return all
}

func requireCode(t *testing.T, want settle.Code, err error) {
	t.Helper()
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, want, refusal.Code, refusal.Detail)
}

// passTime makes a block in the future, as blocks on L1 would be by then.
func (g *governed) passTime(period time.Duration) {
	g.t.Helper()
	require.NoError(g.t, g.chain.AdjustTime(period))
}

// TestVerifierOfARunningRollup: proposed, waited for, activated, and a group settles by it.
func TestVerifierOfARunningRollup(t *testing.T) {
	g := newGoverned(t)
	first := g.work(1, genesisRoot, g.deployment.Domain, 2)
	second := g.work(2, first.Batch.NewRoot, g.deployment.Domain, 3)
	group := g.fold.fold(first, second)
	_, err := g.reader().SettleAggregate(t.Context(), group)
	require.ErrorIs(t, err, l1.ErrUnregistered)

	p, err := g.propose(0)
	require.NoError(t, err)
	require.Equal(t, l1.StandingWaiting, p.Standing)
	require.WithinDuration(t, time.Now().Add(timelock), p.ReadyAt, 24*time.Hour)
	require.Equal(t, 14*24*time.Hour, p.Expires.Sub(p.ReadyAt))
	require.Equal(t, l1.Entry{Circuit: settle.CircuitAggregate, Shape: groupShape, Version: 1, Verifier: p.Verifier, KeyHash: g.fold.hash}, p.Entry)
	all := g.list()
	require.Len(t, all, 2)
	require.Equal(t, g.deployment.Verifiers[0], all[0].Entry)
	require.Equal(t, p, all[1])

	_, err = g.activate(0)
	requireCode(t, l1.CodeTooEarly, err)
	require.ErrorContains(t, err, p.ReadyAt.Format(time.RFC3339))
	g.passTime(timelock)
	require.Equal(t, l1.StandingReady, g.list()[1].Standing)
	entry, err := g.activate(0)
	require.NoError(t, err)
	require.Equal(t, l1.Registration{Entry: p.Entry, Standing: l1.StandingRegistered}, entry)
	require.Equal(t, []l1.Registration{all[0], entry}, g.list())

	g.settleGroup(group)
	root, err := g.reader().Root(t.Context())
	require.NoError(t, err)
	require.Equal(t, second.Batch.NewRoot, root)
}

// TestRegisteringAgainGoesOn: whatever was done before is neither done again nor lost.
func TestRegisteringAgainGoesOn(t *testing.T) {
	g := newGoverned(t)
	before, node := g.nonce(0), &breaking{Conn: g.client}
	r, err := g.registrarOn(node, g.chain.Keys()[0], 0)
	require.NoError(t, err)
	// The first run ends between deployment and proposal, the second one when it has sent that.
	node.onSend = func(n int) (bool, error) {
		if n == 0 {
			return true, nil
		}
		return false, errors.New("broken off")
	}
	stop := g.mine()
	_, err = r.Propose(t.Context(), g.fold.key())
	stop()
	require.ErrorContains(t, err, "broken off")
	require.Equal(t, before+1, g.nonce(0))
	node.onSend = func(int) (bool, error) { return true, errors.New("broken off again") }
	_, err = r.Propose(t.Context(), g.fold.key())
	require.ErrorContains(t, err, "broken off again")
	// The third one finds a transaction in flight.
	tried := make(chan struct{}, 100)
	node.onSend = func(int) (bool, error) { tried <- struct{}{}; return true, nil }
	type result struct {
		l1.Registration
		error
	}
	done := make(chan result, 1)
	go func() {
		p, err := r.Propose(t.Context(), g.fold.key())
		done <- result{p, err}
	}()
	<-tried
	stop = g.mine()
	third := <-done
	stop()
	require.NoError(t, third.error)
	p := third.Registration
	require.Equal(t, before+2, g.nonce(0), "one deployment, one proposal")

	again, err := g.propose(0)
	require.NoError(t, err)
	require.Equal(t, p, again)
	require.Equal(t, before+2, g.nonce(0))
	g.passTime(timelock)
	_, err = g.activate(0)
	require.NoError(t, err)
	entry, err := g.activate(0)
	require.NoError(t, err)
	require.Equal(t, l1.StandingRegistered, entry.Standing)
	entry, err = g.propose(0)
	require.NoError(t, err)
	require.Equal(t, l1.StandingRegistered, entry.Standing)
	require.Equal(t, before+3, g.nonce(0))
}

// TestProposalThatRanOut is proposed again, with the same verifier.
func TestProposalThatRanOut(t *testing.T) {
	g := newGoverned(t)
	p, err := g.propose(0)
	require.NoError(t, err)
	g.passTime(timelock + 15*24*time.Hour)
	require.Equal(t, l1.StandingExpired, g.list()[1].Standing)
	_, err = g.activate(0)
	requireCode(t, l1.CodeTooLate, err)
	again, err := g.propose(0)
	require.NoError(t, err)
	require.Equal(t, l1.StandingWaiting, again.Standing)
	require.Equal(t, p.Entry, again.Entry)
	require.Len(t, g.list(), 2)
}

func TestRegistrationThatIsRefused(t *testing.T) {
	g := newGoverned(t)
	_, err := g.registrar(g.operator, 0)
	requireCode(t, l1.CodeNotGovernor, err)
	require.ErrorContains(t, err, address(g.operator).String())
	require.ErrorContains(t, err, address(g.chain.Keys()[0]).String())

	_, err = g.activate(0)
	requireCode(t, l1.CodeNotProposed, err)

	other := newFolder(t).key()
	other.Circuit, other.Shape = settle.CircuitTransition, shape
	_, err = g.governor(0).Propose(t.Context(), other)
	requireCode(t, l1.CodeShapeRegistered, err)

	wrong := g.fold.key()
	wrong.Hash[0] ^= 1
	stop := g.mine()
	_, err = g.governor(0).Propose(t.Context(), wrong)
	stop()
	require.ErrorIs(t, err, l1.ErrKeyMismatch)
	require.Len(t, g.list(), 1)

	p, err := g.propose(0)
	require.NoError(t, err)
	require.NotZero(t, p.ReadyAt)
	to := common.Address(g.deployment.Rollup)
	contract := bindings.NewRollup()
	out, err := g.client.CallContract(t.Context(), ethereum.CallMsg{To: &to, Data: contract.PackVerifierProposal(bindings.RegistryRegistration{
		Circuit: word32(p.Circuit), Shape: word32(p.Shape), Version: 1, Verifier: common.Address(p.Verifier), KeyHash: p.KeyHash,
	})}, nil)
	require.NoError(t, err)
	id, err := contract.UnpackVerifierProposal(out)
	require.NoError(t, err)
	g.sendAs(0, g.nonce(0), &to, contract.PackCancel(id))
	g.chain.Commit()
	require.Len(t, g.list(), 1, "it was withdrawn")
	_, err = g.activate(0)
	requireCode(t, l1.CodeNotProposed, err)
}

// TestProposedVerifierChangesItsCode: an account that delegates (EIP-7702) to an honest
// verifier is proposed and then points elsewhere.
func TestProposedVerifierChangesItsCode(t *testing.T) {
	g := newGoverned(t)
	p, err := g.propose(0)
	require.NoError(t, err)
	g.delegate(3, common.Address(p.Verifier))
	account := address(g.chain.Keys()[3])
	r := bindings.RegistryRegistration{Circuit: word32(settle.CircuitAggregate), Shape: word32("toy-3"), Version: 1, Verifier: common.Address(account), KeyHash: p.KeyHash}
	to := common.Address(g.deployment.Rollup)
	g.sendAs(0, g.nonce(0), &to, bindings.NewRollup().PackProposeVerifier(r))
	g.chain.Commit()
	require.False(t, g.list()[2].CodeChanged)
	g.delegate(3, common.Address(g.deployment.Verifiers[0].Verifier))
	require.True(t, g.list()[2].CodeChanged)
	g.passTime(timelock)
	stop := g.mine()
	_, err = g.governor(0).Activate(t.Context(), settle.CircuitAggregate, "toy-3", p.KeyHash)
	stop()
	requireCode(t, l1.CodeVerifierChanged, err)

	// One that is registered and changes is seen too, and settles nothing (Rollup.t.sol).
	g.delegate(3, common.Address(p.Verifier))
	stop = g.mine()
	entry, err := g.governor(0).Activate(t.Context(), settle.CircuitAggregate, "toy-3", p.KeyHash)
	stop()
	require.NoError(t, err)
	require.False(t, entry.CodeChanged)
	g.delegate(3, common.Address(g.deployment.Verifiers[0].Verifier))
	require.True(t, g.list()[1].CodeChanged)
}

// TestDevelopmentKeysOfARunningRollup: one that was deployed for keys of a ceremony
// takes no others later.
func TestDevelopmentKeysOfARunningRollup(t *testing.T) {
	g := newGoverned(t)
	ceremony := g.key()
	ceremony.UnsafeDev = false
	governor := g.chain.Keys()[3]
	stop := g.mine()
	d, err := l1.Deploy(t.Context(), g.client, g.chain.Keys()[0], l1.DeployConfig{
		GenesisRoot: genesisRoot, Governor: address(governor), Delay: 7 * 24 * time.Hour, Keys: []l1.VerifierKey{ceremony}, Poll: 2 * time.Millisecond,
	})
	stop()
	require.NoError(t, err)
	g.deployment = d
	r, err := g.registrar(governor, 0)
	require.NoError(t, err)
	_, err = r.Propose(t.Context(), g.fold.key())
	requireCode(t, l1.CodeUnsafeKeys, err)
}

// TestActivationOnAnIdleChain: the head lies before the timelock's end, the present behind it.
func TestActivationOnAnIdleChain(t *testing.T) {
	g := newGoverned(t)
	_, err := g.propose(0)
	require.NoError(t, err)
	node := &breaking{Conn: g.client, onSend: func(int) (bool, error) {
		g.passTime(timelock) // by the time at which it is mined
		return true, nil
	}}
	r, err := g.registrarOn(node, g.chain.Keys()[0], timelock+24*time.Hour)
	require.NoError(t, err)
	node.onSent = func() { g.chain.Commit() }
	_, err = r.Activate(t.Context(), settle.CircuitAggregate, groupShape, g.fold.hash)
	require.NoError(t, err)
	require.Equal(t, l1.StandingRegistered, g.list()[1].Standing)
}

// breaking is a node to which a connection breaks when transactions are sent.
type breaking struct {
	*l1.Conn
	sends  int
	onSend func(n int) (send bool, err error) // n from 0
	onSent func()                             // nil: nothing
}

func (b *breaking) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	send, err := b.onSend(b.sends)
	b.sends++
	if send {
		if sent := b.Conn.SendTransaction(ctx, tx); sent != nil {
			return sent
		}
	}
	if b.onSent != nil {
		b.onSent()
	}
	return err
}

func (g *governed) nonce(i int) uint64 {
	g.t.Helper()
	n, err := g.client.NonceAt(g.t.Context(), common.Address(address(g.chain.Keys()[i])), nil)
	require.NoError(g.t, err)
	return n
}
