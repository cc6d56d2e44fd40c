package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/l1/devchain"
)

const gasPoll = 2 * time.Millisecond

// gasChain is a rollup on a chain of its own, whose batches settle as in production:
// through the contract, by calldata that package l1 packs.
type gasChain struct {
	*gasRollup
	proofs     gasProofs
	chain      *devchain.Chain
	node       *l1.Conn
	rollup     *l1.Client
	deployment l1.Deployment
}

// newGasChain deploys, and settles a first batch: that one writes the slot of the
// number from zero, which none after it does.
func newGasChain(ctx context.Context, shape circuits.Shape, seed uint64, proofs gasProofs) (_ *gasChain, err error) {
	g := &gasChain{proofs: proofs}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if g.gasRollup, err = newGasRollup(shape, seed); err != nil {
		return nil, err
	}
	if g.chain, err = devchain.Start(ctx, devchain.Config{}); err != nil {
		return nil, err
	}
	if g.node, err = l1.Dial(ctx, g.chain.URL(), g.chain.ChainID()); err != nil {
		return nil, err
	}
	// The domain follows from the contract's address; the root depends on no domain.
	if err = g.begin(settle.Element{}); err != nil {
		return nil, err
	}
	root := g.state.Root()
	if g.deployment, err = l1.Deploy(ctx, g.node, g.chain.Keys()[0], l1.DeployConfig{
		ChainID: g.chain.ChainID(), GenesisRoot: root.Bytes(), UnsafeDevKeys: true, Keys: proofs.verifiers(), Poll: gasPoll,
	}); err != nil {
		return nil, err
	}
	if err = g.begin(g.deployment.Domain); err != nil {
		return nil, err
	}
	g.rollup = l1.NewClient(g.node, g.deployment.Rollup)
	_, err = g.direct(ctx, loadTransfers)
	return g, err
}

func (g *gasChain) close() error {
	if g == nil || g.chain == nil {
		return nil
	}
	if g.node != nil {
		g.node.Close()
	}
	return g.chain.Close()
}

// gasSettled is a settlement and what it settled.
type gasSettled struct {
	gasUse
	batches                        int
	words, transfers, opens, exits int // of all batches; transfers counts every transaction
}

func (s *gasSettled) add(b gasBatch) {
	s.batches++
	s.words += len(b.words)
	s.transfers, s.opens, s.exits = s.transfers+len(b.data.Transfers), s.opens+len(b.data.Opens), s.exits+len(b.data.Exits)
}

// direct seals, proves and settles a batch by its own proof.
func (g *gasChain) direct(ctx context.Context, l gasLoad) (s gasSettled, err error) {
	b, err := g.seal(l)
	if err != nil {
		return s, err
	}
	proof, err := g.proofs.prove(ctx, b)
	if err != nil {
		return s, err
	}
	entry, err := g.rollup.FindKey(ctx, proof.Circuit, proof.Shape, proof.KeyHash)
	if err != nil {
		return s, err
	}
	data, err := l1.Calldata(proof, b.words, entry.Version)
	if err != nil {
		return s, err
	}
	s.add(b)
	s.gasUse, err = g.send(ctx, data, b)
	return s, err
}

// group seals, proves and folds n batches, and settles them by one proof.
func (g *gasChain) group(ctx context.Context, l gasLoad, n int) (s gasSettled, err error) {
	var (
		group   l1.Group
		batches []gasBatch
		proofs  []settle.ProofEnvelope
	)
	for range n {
		b, err := g.seal(l)
		if err != nil {
			return s, err
		}
		proof, err := g.proofs.prove(ctx, b)
		if err != nil {
			return s, err
		}
		s.add(b)
		batches, proofs = append(batches, b), append(proofs, proof)
		group.Batches = append(group.Batches, l1.GroupBatch{Commitment: proof.Inputs[0], Words: b.words})
	}
	if group.Proof, err = g.proofs.fold(ctx, proofs); err != nil {
		return s, err
	}
	data, err := g.rollup.SettleAggregate(ctx, group)
	if err != nil {
		return s, err
	}
	s.gasUse, err = g.send(ctx, data, batches...)
	return s, err
}

// send sends the call, looks at the new root, and takes its gas apart.
func (g *gasChain) send(ctx context.Context, data []byte, batches ...gasBatch) (gasUse, error) {
	tx, receipt, err := l1.Send(ctx, g.node, g.chain.Keys()[0], g.deployment.Rollup, data, gasPoll, l1.FeePolicy{})
	if err != nil {
		return gasUse{}, err
	}
	var roots []settle.Element
	for _, b := range batches {
		roots = append(roots, b.data.Header.NewRoot.Bytes())
	}
	root, err := g.rollup.Root(ctx)
	if err != nil {
		return gasUse{}, err
	}
	if want := g.state.Root(); root != settle.Element(want.Bytes()) {
		return gasUse{}, fmt.Errorf("the root on L1 is %s, expected %s", root, want.String())
	}
	return traceGas(ctx, g.chain, tx, receipt, roots)
}
