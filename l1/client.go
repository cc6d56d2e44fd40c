package l1

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Errors about what stands on the chain. Each message says the remedy.
var (
	ErrNoContract   = errors.New("no rollup contract at this address")
	ErrKeyMismatch  = errors.New("the registered verifier has another key")
	ErrUnregistered = errors.New("no verifier registered")
)

// maxVersions bounds the search for a registry entry.
const maxVersions = 1 << 10

// Client reads the Rollup contract.
type Client struct {
	node     Node
	address  common.Address
	contract *bindings.Rollup
	block    *big.Int // as of which it reads; nil: the head
}

// NewClient returns a Client for the contract at address.
func NewClient(node Node, address settle.Address) *Client {
	return &Client{node: node, address: common.Address(address), contract: bindings.NewRollup()}
}

// Address is the contract's.
func (c *Client) Address() settle.Address { return settle.Address(c.address) }

func read[T any](ctx context.Context, c *Client, what string, data []byte, unpack func([]byte) (T, error)) (T, error) {
	var zero T
	out, err := c.node.CallContract(ctx, ethereum.CallMsg{To: &c.address, Data: data}, c.block)
	if err != nil {
		return zero, fmt.Errorf("read %s of the rollup on L1: %w", what, callError(err))
	}
	if len(out) == 0 {
		return zero, fmt.Errorf("%w: %s; check the address and that L1_URL points to the chain of the deployment", ErrNoContract, c.address)
	}
	v, err := unpack(out)
	if err != nil {
		return zero, fmt.Errorf("read %s of the rollup on L1: %w", what, err)
	}
	return v, nil
}

// callError replaces a revert by a RevertError and hides the node's address.
func callError(err error) error {
	if revert, ok := AsRevert(err); ok {
		return revert
	}
	return withoutURL(err)
}

func readElement(ctx context.Context, c *Client, what string, data []byte, unpack func([]byte) (*big.Int, error)) (settle.Element, error) {
	v, err := read(ctx, c, what, data, unpack)
	if err != nil {
		return settle.Element{}, err
	}
	return element(v), nil
}

func element(v *big.Int) (e settle.Element) {
	v.FillBytes(e[:])
	return e
}

// At returns a Client that reads the contract as it was after a block.
func (c *Client) At(block uint64) *Client {
	at := *c
	at.block = new(big.Int).SetUint64(block)
	return &at
}

// Root returns the state root after the last settled batch.
func (c *Client) Root(ctx context.Context) (settle.Element, error) {
	return readElement(ctx, c, "root", c.contract.PackRoot(), c.contract.UnpackRoot)
}

// GenesisRoot returns the root of genesis.
func (c *Client) GenesisRoot(ctx context.Context) (settle.Element, error) {
	return readElement(ctx, c, "genesis root", c.contract.PackGenesisRoot(), c.contract.UnpackGenesisRoot)
}

// GenesisHash returns the SHA-256 of the genesis file.
func (c *Client) GenesisHash(ctx context.Context) (settle.Hash, error) {
	h, err := read(ctx, c, "genesis hash", c.contract.PackGenesisHash(), c.contract.UnpackGenesisHash)
	return settle.Hash(h), err
}

// BatchNumber returns the number of the last settled batch; 0 at genesis.
func (c *Client) BatchNumber(ctx context.Context) (settle.BatchNumber, error) {
	n, err := read(ctx, c, "batch number", c.contract.PackBatchNumber(), c.contract.UnpackBatchNumber)
	return settle.BatchNumber(n), err
}

// Domain returns chain id·2^160 + address as the contract computed it.
func (c *Client) Domain(ctx context.Context) (settle.Element, error) {
	return readElement(ctx, c, "domain", c.contract.PackDomain(), c.contract.UnpackDomain)
}

// UnsafeDevKeys reports whether the deployment admits development keys.
func (c *Client) UnsafeDevKeys(ctx context.Context) (bool, error) {
	return read(ctx, c, "unsafe-dev flag", c.contract.PackUnsafeDevKeys(), c.contract.UnpackUnsafeDevKeys)
}

// IsOperator reports whether account may settle.
func (c *Client) IsOperator(ctx context.Context, account settle.Address) (bool, error) {
	return read(ctx, c, "operators", c.contract.PackOperators(common.Address(account)), c.contract.UnpackOperators)
}

// Entry is a registry entry.
type Entry struct {
	Circuit  string         `json:"circuit"`
	Shape    string         `json:"shape"`
	Version  uint32         `json:"version"`
	Verifier settle.Address `json:"verifier"`
	KeyHash  settle.KeyHash `json:"key_hash"`
}

// Entry returns the registry entry for (circuit, shape, version), or ErrUnregistered.
func (c *Client) Entry(ctx context.Context, circuit, shape string, version uint32) (Entry, error) {
	circuitWord, err := name32(circuit)
	if err != nil {
		return Entry{}, err
	}
	shapeWord, err := name32(shape)
	if err != nil {
		return Entry{}, err
	}
	id, err := read(ctx, c, "registry", c.contract.PackEntryId(circuitWord, shapeWord, version), c.contract.UnpackEntryId)
	if err != nil {
		return Entry{}, err
	}
	e, err := read(ctx, c, "registry", c.contract.PackEntries(id), c.contract.UnpackEntries)
	if err != nil {
		return Entry{}, err
	}
	if e.Verifier == (common.Address{}) {
		return Entry{}, fmt.Errorf("%w for %s/%s version %d", ErrUnregistered, circuit, shape, version)
	}
	return Entry{circuit, shape, version, settle.Address(e.Verifier), e.KeyHash}, nil
}

// FindKey returns the newest registry entry of (circuit, shape) with this key.
// ErrUnregistered when the shape has none, ErrKeyMismatch when it has others.
func (c *Client) FindKey(ctx context.Context, circuit, shape string, key settle.KeyHash) (Entry, error) {
	var found, last Entry
	for version := uint32(1); version <= maxVersions; version++ {
		e, err := c.Entry(ctx, circuit, shape, version)
		if errors.Is(err, ErrUnregistered) {
			break
		}
		if err != nil {
			return Entry{}, err
		}
		last = e
		if e.KeyHash == key {
			found = e
		}
	}
	switch {
	case found != Entry{}:
		return found, nil
	case last == Entry{}:
		return Entry{}, fmt.Errorf("%w for %s/%s in the rollup %s; register one or use a shape that is registered",
			ErrUnregistered, circuit, shape, c.Address())
	}
	return Entry{}, fmt.Errorf("%w: %s/%s has key %s in the rollup %s, ours is %s; use the keys of the deployment "+
		"(settle keys), or register ours as a new version", ErrKeyMismatch, circuit, shape, last.KeyHash, c.Address(), key)
}

// SettledBy returns the log of the transaction that settled a batch. It searches
// from the head back to block `from`; ethereum.NotFound when there is none.
func (c *Client) SettledBy(ctx context.Context, batch settle.BatchNumber, from uint64) (types.Log, error) {
	return c.newestLog(ctx, fmt.Sprintf("the settlement of batch %d", batch), bindings.RollupBatchSettledEventName, from, uint64(batch))
}

// ClaimedBy returns the log of the transaction that claimed exit i of a batch. It
// searches from the head back to block `from`; ethereum.NotFound when there is none.
func (c *Client) ClaimedBy(ctx context.Context, batch settle.BatchNumber, i uint32, from uint64) (types.Log, error) {
	return c.newestLog(ctx, fmt.Sprintf("the claim of exit %d of batch %d", i, batch), bindings.RollupExitClaimedEventName, from, uint64(batch), uint64(i))
}

// newestLog returns the latest event of this name with these first indexed arguments,
// from the head back to a block; what names it in errors.
func (c *Client) newestLog(ctx context.Context, what, name string, from uint64, indexed ...uint64) (types.Log, error) {
	event, ok := c.contract.GetABI().Events[name]
	if !ok {
		return types.Log{}, fmt.Errorf("the rollup's ABI has no event %s", name)
	}
	wanted := []common.Hash{event.ID}
	for _, v := range indexed {
		wanted = append(wanted, common.BigToHash(new(big.Int).SetUint64(v)))
	}
	last, err := c.node.BlockNumber(ctx)
	if err != nil {
		return types.Log{}, fmt.Errorf("ask L1 for its head: %w", withoutURL(err))
	}
	search := LogSearch{Address: c.address, First: from, Last: last, NewestFirst: true}
	for _, topic := range wanted {
		search.Topics = append(search.Topics, []common.Hash{topic})
	}
	for l, err := range c.node.Logs(ctx, search) {
		if err != nil {
			return types.Log{}, fmt.Errorf("search L1 for %s: %w", what, err)
		}
		if l.Address != c.address || len(l.Topics) < len(wanted) || !slices.Equal(l.Topics[:len(wanted)], wanted) {
			return types.Log{}, fmt.Errorf("%w: an event of %s with topics %v, asked for %s", ErrNodeAnswer, l.Address, l.Topics, what)
		}
		return *l, nil
	}
	return types.Log{}, fmt.Errorf("%s on L1: %w", what, ethereum.NotFound)
}
