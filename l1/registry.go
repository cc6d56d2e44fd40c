package l1

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Standing is how far a verifier is on its way into the registry.
type Standing string

// Standings.
const (
	StandingRegistered Standing = "registered" // for ever
	StandingWaiting    Standing = "waiting"    // proposed; the timelock runs
	StandingReady      Standing = "ready"      // proposed; can be activated
	StandingExpired    Standing = "expired"    // proposed, and not activated in time
)

// Registration is an entry of the registry or a proposal of one.
type Registration struct {
	Entry
	Standing Standing
	ReadyAt  time.Time // of a proposal: from when it can be activated
	Expires  time.Time // of a proposal: until when
	// CodeChanged: the verifier has other code than when it was registered or proposed. While it
	// has, it settles nothing and cannot be activated; an account that delegates can change it back.
	CodeChanged bool
}

// Registry reads the registry from its events since block `from`: entries in the order
// of their registration, then the proposals that stand, withdrawn ones left out. now is
// the time by which proposals are ready or expired, if the head is older.
func (c *Client) Registry(ctx context.Context, from uint64, now time.Time) ([]Registration, error) {
	last, err := c.node.BlockNumber(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	events := c.contract.GetABI().Events
	registered := events[bindings.RollupVerifierRegisteredEventName].ID
	proposed := events[bindings.RollupVerifierProposedEventName].ID
	var entries []Registration
	proposals := map[[32]byte]bindings.RegistryRegistration{}
	var order [][32]byte
	err = c.eachLog(ctx, from, last, "verifiers", []common.Hash{registered, proposed}, func(log *types.Log) error {
		if log.Topics[0] == registered {
			e, err := c.contract.UnpackVerifierRegisteredEvent(log)
			if err != nil {
				return fmt.Errorf("read the event of a registration in block %d: %w", log.BlockNumber, err)
			}
			entry, err := c.entry(ctx, e)
			entries = append(entries, entry)
			return err
		}
		p, err := c.contract.UnpackVerifierProposedEvent(log)
		if err != nil {
			return fmt.Errorf("read the event of a proposal in block %d: %w", log.BlockNumber, err)
		}
		if _, again := proposals[p.Proposal]; !again {
			order = append(order, p.Proposal)
		}
		proposals[p.Proposal] = p.Registration
		return nil
	})
	if err != nil {
		return nil, err
	}
	if now, err = c.notBefore(ctx, now); err != nil {
		return nil, err
	}
	for _, id := range order {
		p, stands, err := c.proposal(ctx, id, proposals[id], now)
		if err != nil {
			return nil, err
		}
		if stands {
			entries = append(entries, p)
		}
	}
	return entries, nil
}

func (c *Client) entry(ctx context.Context, e *bindings.RollupVerifierRegistered) (Registration, error) {
	r := Registration{Entry: entryOf(e.Circuit, e.Shape, e.Version, e.Verifier, e.KeyHash), Standing: StandingRegistered}
	id, err := read(ctx, c, "registry", c.contract.PackEntryId(e.Circuit, e.Shape, e.Version), c.contract.UnpackEntryId)
	if err != nil {
		return r, err
	}
	stored, err := read(ctx, c, "registry", c.contract.PackEntries(id), c.contract.UnpackEntries)
	if err != nil {
		return r, err
	}
	code, err := c.node.CodeAt(ctx, e.Verifier, c.block)
	if err != nil {
		return r, fmt.Errorf("read the code of verifier %s: %w", e.Verifier, withoutURL(err))
	}
	r.CodeChanged = crypto.Keccak256Hash(code) != stored.CodeHash
	return r, nil
}

// proposal returns false for one that was taken or withdrawn.
func (c *Client) proposal(ctx context.Context, id [32]byte, p bindings.RegistryRegistration, now time.Time) (Registration, bool, error) {
	r := Registration{Entry: entryOf(p.Circuit, p.Shape, p.Version, p.Verifier, p.KeyHash), Standing: StandingWaiting}
	ready, err := read(ctx, c, "proposals", c.contract.PackReadyAt(id), c.contract.UnpackReadyAt)
	if err != nil || ready.Sign() == 0 {
		return r, false, err
	}
	window, err := read(ctx, c, "activation window", c.contract.PackACTIVATIONWINDOW(), c.contract.UnpackACTIVATIONWINDOW)
	if err != nil {
		return r, false, err
	}
	r.ReadyAt = time.Unix(ready.Int64(), 0).UTC()
	r.Expires = r.ReadyAt.Add(time.Duration(window.Int64()) * time.Second)
	switch {
	case now.After(r.Expires):
		r.Standing = StandingExpired
	case !now.Before(r.ReadyAt):
		r.Standing = StandingReady
	}
	current, err := read(ctx, c, "proposals", c.contract.PackVerifierProposal(p), c.contract.UnpackVerifierProposal)
	r.CodeChanged = current != id
	return r, true, err
}

// notBefore returns now, or the time of the head if that is later.
func (c *Client) notBefore(ctx context.Context, now time.Time) (time.Time, error) {
	number := rpc.LatestBlockNumber
	if c.block != nil {
		number = rpc.BlockNumber(c.block.Int64())
	}
	head, err := c.node.Block(ctx, number)
	if err != nil {
		return now, fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	if at := time.Unix(int64(head.Time), 0); at.After(now) {
		return at, nil
	}
	return now, nil
}

func entryOf(circuit, shape [32]byte, version uint32, verifier common.Address, key settle.KeyHash) Entry {
	name := func(word [32]byte) string {
		if text, ok := nameOf(word); ok {
			return text
		}
		return common.Hash(word).Hex() // not of our making
	}
	return Entry{name(circuit), name(shape), version, settle.Address(verifier), key}
}
