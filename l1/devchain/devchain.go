// Package devchain runs an Ethereum node in this process, with real JSON-RPC on
// loopback and rules like mainnet's up to Osaka, for development, benchmarks and
// tests. internal/importrules keeps it out of what runs in production.
package devchain

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// DefaultChainID is the chain id of a chain that is not given one.
const DefaultChainID = 31337

// FinalityBlocks is how often, in blocks, the chain finalizes its head.
const FinalityBlocks = 32

const (
	defaultAccounts = 4
	gasLimit        = 60_000_000
	loopback        = "127.0.0.1"
)

// Mining says when blocks are made.
type Mining int

const (
	// OnTransaction makes a block as soon as a transaction comes in.
	OnTransaction Mining = iota
	// Periodic makes a block each Config.Period, so that time and finality go on.
	Periodic
	// Manual makes a block when Commit is called.
	Manual
)

// Config describes a chain. The zero value is a fresh chain in memory on a free
// port that mines on each transaction.
type Config struct {
	ChainID uint64 // 0: DefaultChainID
	Port    int    // of JSON-RPC on loopback; 0: a free one
	Mining  Mining // when blocks are made
	// Period is the time between blocks of Periodic; 0: one second. With OnTransaction
	// it is the time between the empty blocks that follow a transaction until it is
	// final; 0: none follow. A chain at rest makes no blocks and does not grow.
	Period   time.Duration
	Accounts int    // funded accounts; 0: 4
	DataDir  string // keeps the chain between runs; empty: in memory
}

// Chain is a running chain.
type Chain struct {
	stack   *node.Node
	backend *eth.Ethereum
	beacon  *catalyst.SimulatedBeacon
	keys    []*ecdsa.PrivateKey
	chainID uint64

	busy   atomic.Uint64 // number of the last block that has transactions, or may
	stop   chan struct{} // closed to end mining
	mining sync.WaitGroup
	closed sync.Once
}

// Start runs a chain until Close. A port that is in use is an error that says so.
func Start(ctx context.Context, cfg Config) (*Chain, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start dev chain: %w", err)
	}
	if cfg.ChainID == 0 {
		cfg.ChainID = DefaultChainID
	}
	if cfg.Accounts == 0 {
		cfg.Accounts = defaultAccounts
	}
	keys := make([]*ecdsa.PrivateKey, cfg.Accounts)
	for i := range keys {
		key, err := DevKey(i)
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	if cfg.DataDir != "" {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder of dev chain: %w", err)
		}
	}
	stack, err := node.New(&node.Config{
		Name:             "settle-devchain",
		DataDir:          cfg.DataDir,
		DBEngine:         rawdb.DBLeveldb, // Pebble keeps its last writes in memory and loses them when we are killed
		P2P:              p2p.Config{NoDiscovery: true, NoDial: true},
		HTTPHost:         loopback,
		HTTPPort:         cfg.Port,
		HTTPModules:      []string{"eth", "net", "web3"},
		HTTPTimeouts:     rpc.DefaultHTTPTimeouts,
		HTTPVirtualHosts: []string{"localhost"},
	})
	if err != nil {
		return nil, fmt.Errorf("make dev chain's node: %w", err)
	}
	chain, err := start(stack, cfg, keys)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start dev chain on %s port %d: %w", loopback, cfg.Port, err), stack.Close())
	}
	return chain, nil
}

func start(stack *node.Node, cfg Config, keys []*ecdsa.PrivateKey) (*Chain, error) {
	backend, err := eth.New(stack, ethConfig(cfg.ChainID, keys))
	if err != nil {
		return nil, err
	}
	stack.RegisterAPIs([]rpc.API{{
		Namespace: "eth",
		Service:   filters.NewFilterAPI(filters.NewFilterSystem(backend.APIBackend, filters.Config{})),
	}})
	// Period 0: the beacon's own loop cannot be waited for when the chain closes.
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		return nil, err
	}
	stack.RegisterLifecycle(beacon)
	if err := stack.Start(); err != nil {
		return nil, err
	}
	c := &Chain{stack: stack, backend: backend, beacon: beacon, keys: keys, chainID: cfg.ChainID, stop: make(chan struct{})}
	c.busy.Store(backend.BlockChain().CurrentBlock().Number.Uint64())
	switch cfg.Mining {
	case OnTransaction:
		transactions := make(chan core.NewTxsEvent, 16)
		subscription := backend.TxPool().SubscribeTransactions(transactions, true)
		c.mining.Go(func() { c.mine(transactions, subscription, cfg.Period) })
	case Periodic:
		c.mining.Go(func() { c.minePeriodically(cmp.Or(cfg.Period, time.Second)) })
	case Manual:
	}
	return c, nil
}

func ethConfig(chainID uint64, keys []*ecdsa.PrivateKey) *ethconfig.Config {
	alloc := core.SystemContractAllocs()
	// A million Ether each.
	balance := new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(params.Ether))
	for _, k := range keys {
		alloc[crypto.PubkeyToAddress(k.PublicKey)] = types.Account{Balance: balance}
	}
	cfg := ethconfig.Defaults
	cfg.NetworkId = chainID
	cfg.Genesis = &core.Genesis{
		Config:   chainConfig(chainID),
		GasLimit: gasLimit,
		BaseFee:  big.NewInt(params.InitialBaseFee),
		Alloc:    alloc,
	}
	cfg.SyncMode = ethconfig.FullSync
	cfg.StateScheme = "hash"
	cfg.NoPruning = true
	cfg.LogNoHistory = true
	cfg.TxPool.NoLocals = true
	cfg.Miner.GasPrice = big.NewInt(1)
	cfg.Miner.GasCeil = gasLimit
	return &cfg
}

// chainConfig has every fork of mainnet up to Osaka from the genesis block, and
// none after: later ones change the gas of calldata.
func chainConfig(chainID uint64) *params.ChainConfig {
	zero, genesis := new(big.Int), uint64(0)
	return &params.ChainConfig{
		ChainID:                 new(big.Int).SetUint64(chainID),
		HomesteadBlock:          zero,
		EIP150Block:             zero,
		EIP155Block:             zero,
		EIP158Block:             zero,
		ByzantiumBlock:          zero,
		ConstantinopleBlock:     zero,
		PetersburgBlock:         zero,
		IstanbulBlock:           zero,
		MuirGlacierBlock:        zero,
		BerlinBlock:             zero,
		LondonBlock:             zero,
		ArrowGlacierBlock:       zero,
		GrayGlacierBlock:        zero,
		MergeNetsplitBlock:      zero,
		TerminalTotalDifficulty: zero,
		ShanghaiTime:            &genesis,
		CancunTime:              &genesis,
		PragueTime:              &genesis,
		OsakaTime:               &genesis,
		BlobScheduleConfig: &params.BlobScheduleConfig{
			Cancun: params.DefaultCancunBlobConfig,
			Prague: params.DefaultPragueBlobConfig,
		},
	}
}

// DevKey returns the key of funded account i. It follows from public text:
// whoever knows this program can spend from it.
func DevKey(i int) (*ecdsa.PrivateKey, error) {
	seed := sha256.Sum256(fmt.Appendf(nil, "settle dev chain account %d", i))
	key, err := crypto.ToECDSA(seed[:])
	if err != nil {
		return nil, fmt.Errorf("dev account %d: %w", i, err)
	}
	return key, nil
}

// URL is where JSON-RPC is served, on loopback.
func (c *Chain) URL() string { return c.stack.HTTPEndpoint() }

// ChainID is the chain's id.
func (c *Chain) ChainID() uint64 { return c.chainID }

// Keys returns the keys of the funded accounts.
func (c *Chain) Keys() []*ecdsa.PrivateKey { return c.keys }

// Close stops the chain. A chain in memory is gone.
func (c *Chain) Close() error {
	// The beacon must not seal while the chain's database closes: it would panic.
	c.closed.Do(func() { close(c.stop) })
	c.mining.Wait()
	if err := c.stack.Close(); err != nil {
		return fmt.Errorf("stop dev chain: %w", err)
	}
	return nil
}

// mine makes blocks as long as transactions wait, and then until they are final.
func (c *Chain) mine(transactions <-chan core.NewTxsEvent, subscription event.Subscription, period time.Duration) {
	defer subscription.Unsubscribe()
	var tick <-chan time.Time
	if period > 0 {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-c.stop:
			return
		case <-tick:
			if c.finalized() < c.busy.Load() {
				c.Commit()
			}
			continue
		case <-transactions:
		}
		for waiting, before := c.executable(), 0; waiting > 0 && waiting != before; {
			select {
			case <-c.stop:
				return
			default:
			}
			c.Commit()
			before, waiting = waiting, c.executable()
		}
	}
}

func (c *Chain) minePeriodically(period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-ticker.C:
			c.Commit()
		}
	}
}

// finalized is the number of the finalized block.
func (c *Chain) finalized() uint64 {
	block := c.backend.BlockChain().CurrentFinalBlock()
	if block == nil {
		return 0
	}
	return block.Number.Uint64()
}

// executable counts the transactions that a block could hold.
func (c *Chain) executable() int {
	if err := c.backend.TxPool().Sync(); err != nil {
		return 0 // the pool is closing
	}
	pending, _ := c.backend.TxPool().Stats()
	return pending
}

// Commit makes a block of what is pending and returns its hash.
func (c *Chain) Commit() common.Hash {
	hash := c.beacon.Commit()
	if block := c.backend.BlockChain().GetBlockByHash(hash); block != nil && len(block.Transactions()) > 0 {
		c.busy.Store(block.NumberU64())
	}
	return hash
}

// Finalize makes blocks until the head is finalized.
func (c *Chain) Finalize() {
	for {
		c.Commit()
		if head := c.backend.BlockChain().CurrentBlock().Number.Uint64(); head%FinalityBlocks == 0 {
			return
		}
	}
}

// AdjustTime makes an empty block so much later than the head; the ones that follow
// are later still. Meant for Manual chains on which nothing is pending.
func (c *Chain) AdjustTime(period time.Duration) error {
	// The pool learns of a block later than whoever made it, and what it still holds counts as pending.
	if err := c.backend.TxPool().Sync(); err != nil {
		return fmt.Errorf("adjust time: %w", err)
	}
	return c.beacon.AdjustTime(period)
}

// DropPending forgets the transactions that wait for a block.
func (c *Chain) DropPending() { c.beacon.Rollback() }

// Reorg replaces the last depth blocks by depth + 1 empty ones: their
// transactions are forgotten. Meant for Manual chains; on others the replaced
// transactions may be mined again before they are forgotten.
func (c *Chain) Reorg(depth uint64) error {
	head := c.backend.BlockChain().CurrentBlock().Number.Uint64()
	if depth > head {
		return fmt.Errorf("reorg of %d blocks: the chain has %d", depth, head)
	}
	parent := c.backend.BlockChain().GetCanonicalHash(head - depth)
	if err := c.beacon.Fork(parent); err != nil {
		return fmt.Errorf("reorg of %d blocks: %w", depth, err)
	}
	for range depth + 1 {
		if err := c.backend.TxPool().Sync(); err != nil {
			return fmt.Errorf("reorg of %d blocks: %w", depth, err)
		}
		c.DropPending()
		c.Commit()
	}
	return nil
}
