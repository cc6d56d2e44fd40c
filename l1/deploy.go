package l1

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// ErrUnsafeKeys reports development keys without the explicit flag for them.
var ErrUnsafeKeys = errors.New("development keys")

// ErrHotGovernor reports a governor whose key would lie where settling is done.
var ErrHotGovernor = errors.New("the governor needs a key of its own")

// ErrDeployment reports a deployment that does not say what was deployed.
var ErrDeployment = errors.New("deployment does not match")

// VerifierKey is a verifying key to deploy, with its place in the registry.
type VerifierKey struct {
	Circuit   string
	Shape     string
	Version   uint32 // 0: 1
	Words     [verifier.KeyWords]*big.Int
	Hash      settle.KeyHash // compared with what L1 computes
	UnsafeDev bool           // made by one party: whoever made it can prove anything
}

// DeployConfig says what to deploy. No operators: the deployer. No governor: the
// deployer too, with UnsafeDevKeys only, as whoever steals an operator's key must
// not get the registry with it.
type DeployConfig struct {
	ChainID       uint64 // expected; 0: whatever the node serves
	GenesisRoot   settle.Element
	GenesisHash   settle.Hash // SHA-256 of the genesis file
	Governor      settle.Address
	Operators     []settle.Address
	Delay         time.Duration // timelock, whole seconds; at least 7 days unless UnsafeDevKeys
	UnsafeDevKeys bool          // admits UnsafeDev keys; stored in the contract for ever
	Keys          []VerifierKey
	Poll          time.Duration // between looks for a receipt; 0: 200 ms
	Fees          FeePolicy     `json:"-"` // of each transaction; it does not tell deployments apart
	Journal       DeployJournal // what is sent is stored there before; nil: nowhere, and what breaks off begins anew
}

// Deployment is the record of a deployment.
type Deployment struct {
	ChainID       uint64         `json:"chain_id"`
	Rollup        settle.Address `json:"rollup"`
	Domain        settle.Element `json:"domain"`
	Block         uint64         `json:"block"`
	BlockHash     settle.Hash    `json:"block_hash"`
	GenesisRoot   settle.Element `json:"genesis_root"`
	GenesisHash   settle.Hash    `json:"genesis_hash"`
	UnsafeDevKeys bool           `json:"unsafe_dev_keys"`
	Verifiers     []Entry        `json:"verifiers"`
	GasUsed       uint64         `json:"gas_used"`
}

// Deploy deploys one verifier for each key and the Rollup with all of them
// registered, and reads everything back before it returns. With a Journal a run goes on
// where an earlier one broke off, and finds what is done already; ErrDeployment when
// that has deployed a rollup with other parameters.
func Deploy(ctx context.Context, node Node, key *ecdsa.PrivateKey, cfg DeployConfig) (Deployment, error) {
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return Deployment{}, err
	}
	if err := cfg.checkKeys(); err != nil {
		return Deployment{}, err
	}
	d := &deployer{wallet: newWallet(node, key, chainID).withPolicy(cfg.Fees), poll: cfg.Poll, journal: cfg.Journal}
	if d.journal == nil {
		d.journal = noJournal{}
	}
	if err := d.owners(&cfg); err != nil {
		return Deployment{}, err
	}
	if d.poll == 0 {
		d.poll = 200 * time.Millisecond
	}
	name, err := rollupName(cfg)
	if err != nil {
		return Deployment{}, err
	}
	if err := d.load(ctx); err != nil {
		return Deployment{}, err
	}
	if err := d.otherRollup(ctx, name); err != nil {
		return Deployment{}, err
	}
	out := Deployment{ChainID: chainID, GenesisRoot: cfg.GenesisRoot, GenesisHash: cfg.GenesisHash, UnsafeDevKeys: cfg.UnsafeDevKeys}
	var registrations []bindings.RegistryRegistration
	for _, k := range cfg.Keys {
		entry, registration, err := d.verifier(ctx, k, nil)
		if err != nil {
			return Deployment{}, err
		}
		out.Verifiers = append(out.Verifiers, entry)
		registrations = append(registrations, registration)
	}
	rollup, receipt, err := d.rollup(ctx, name, cfg, registrations)
	if err != nil {
		return Deployment{}, err
	}
	out.Rollup, out.GasUsed = settle.Address(rollup), d.gasUsed
	out.Block, out.BlockHash = receipt.BlockNumber.Uint64(), settle.Hash(receipt.BlockHash)
	out.Domain = Domain(chainID, out.Rollup)
	if err := CheckDeployment(ctx, node, out); err != nil {
		return Deployment{}, err
	}
	return out, nil
}

func (cfg DeployConfig) checkKeys() error {
	for _, k := range cfg.Keys {
		if k.UnsafeDev && !cfg.UnsafeDevKeys {
			return fmt.Errorf("%w for %s/%s: the maker of development keys can prove anything. Use keys of a ceremony, "+
				"or allow them explicitly for development", ErrUnsafeKeys, k.Circuit, k.Shape)
		}
	}
	return nil
}

// Domain returns chain id·2^160 + address.
func Domain(chainID uint64, rollup settle.Address) (e settle.Element) {
	copy(e[12:], rollup[:])
	new(big.Int).SetUint64(chainID).FillBytes(e[4:12])
	return e
}

// CheckDeployment compares a deployment record with the chain: chain id, domain,
// genesis, unsafe-dev flag, and for each verifier the registry's key hash and the
// one that the verifier computed. Run it at start-up.
func CheckDeployment(ctx context.Context, node Node, want Deployment) error {
	if _, err := CheckChain(ctx, node, want.ChainID); err != nil {
		return err
	}
	c := NewClient(node, want.Rollup)
	domain, err1 := c.Domain(ctx)
	root, err2 := c.GenesisRoot(ctx)
	hash, err3 := c.GenesisHash(ctx)
	unsafe, err4 := c.UnsafeDevKeys(ctx)
	if err := cmp.Or(err1, err2, err3, err4); err != nil { // they have one cause
		return err
	}
	switch {
	case domain != want.Domain:
		return fmt.Errorf("%w: domain on L1 is %s, expected %s", ErrDeployment, domain, want.Domain)
	case root != want.GenesisRoot:
		return fmt.Errorf("%w: genesis root on L1 is %s, expected %s; use the genesis file of the deployment", ErrDeployment, root, want.GenesisRoot)
	case hash != want.GenesisHash:
		return fmt.Errorf("%w: genesis hash on L1 is %s, expected %s; use the genesis file of the deployment", ErrDeployment, hash, want.GenesisHash)
	case unsafe != want.UnsafeDevKeys:
		return fmt.Errorf("%w: unsafe-dev keys are %t on L1, expected %t", ErrDeployment, unsafe, want.UnsafeDevKeys)
	}
	for _, w := range want.Verifiers {
		e, err := c.Entry(ctx, w.Circuit, w.Shape, w.Version)
		if err != nil {
			return err
		}
		if e != w {
			return fmt.Errorf("%w: %s/%s version %d is %s with key %s on L1, expected %s with key %s", ErrKeyMismatch,
				w.Circuit, w.Shape, w.Version, e.Verifier, e.KeyHash, w.Verifier, w.KeyHash)
		}
		if err := checkVerifier(ctx, node, w.Verifier, w.KeyHash); err != nil {
			return fmt.Errorf("%s/%s version %d: %w", w.Circuit, w.Shape, w.Version, err)
		}
	}
	return nil
}

// checkVerifier compares the key hash that the verifier computed on L1 with ours.
func checkVerifier(ctx context.Context, node Node, address settle.Address, want settle.KeyHash) error {
	contract, to := bindings.NewGroth16Verifier(), common.Address(address)
	out, err := node.CallContract(ctx, ethereum.CallMsg{To: &to, Data: contract.PackKeyHash()}, nil)
	if err != nil {
		return fmt.Errorf("read key hash of verifier %s: %w", address, callError(err))
	}
	got, err := contract.UnpackKeyHash(out)
	if err != nil {
		return fmt.Errorf("%w: read key hash of %s: %w", errNoVerifier, address, err)
	}
	if settle.KeyHash(got) != want {
		return fmt.Errorf("%w: L1 computed %s, expected %s", ErrKeyMismatch, settle.KeyHash(got), want)
	}
	return nil
}

var errNoVerifier = errors.New("no verifier at this address")

type deployer struct {
	*wallet
	poll    time.Duration
	gasUsed uint64
	journal DeployJournal
	earlier []journaled
}

// owners fills in governor and operators.
func (d *deployer) owners(cfg *DeployConfig) error {
	deployer := settle.Address(d.address)
	if len(cfg.Operators) == 0 {
		cfg.Operators = []settle.Address{deployer}
	}
	if cfg.UnsafeDevKeys {
		if cfg.Governor == (settle.Address{}) {
			cfg.Governor = deployer
		}
		return nil
	}
	if cfg.Governor == (settle.Address{}) || cfg.Governor == deployer || slices.Contains(cfg.Operators, cfg.Governor) {
		return fmt.Errorf("%w: name one that neither deploys (%s) nor settles", ErrHotGovernor, deployer)
	}
	return nil
}

func (d *deployer) verifier(ctx context.Context, k VerifierKey, at *uint64) (Entry, bindings.RegistryRegistration, error) {
	name := k.Circuit + "/" + k.Shape
	r, err := k.registration()
	if err != nil {
		return Entry{}, r, err
	}
	created, _, err := d.create(ctx, verifierName(k), bindings.Groth16VerifierMetaData.Bin, bindings.NewGroth16Verifier().PackConstructor(k.Words[:]), at)
	if err != nil {
		return Entry{}, r, err
	}
	address := settle.Address(created)
	if err := checkVerifier(ctx, d.node, address, k.Hash); err != nil {
		return Entry{}, r, fmt.Errorf("verifier of %s: %w", name, err)
	}
	r.Verifier = created
	return Entry{k.Circuit, k.Shape, r.Version, address, k.Hash}, r, nil
}

// registration is all of it but the verifier's address.
func (k VerifierKey) registration() (r bindings.RegistryRegistration, err error) {
	if r.Circuit, err = name32(k.Circuit); err != nil {
		return r, err
	}
	if r.Shape, err = name32(k.Shape); err != nil {
		return r, err
	}
	r.Version, r.KeyHash = max(k.Version, 1), k.Hash
	return r, nil
}

func (d *deployer) rollup(ctx context.Context, name string, cfg DeployConfig, registrations []bindings.RegistryRegistration) (common.Address, *types.Receipt, error) {
	config := bindings.RegistryConfig{
		Governor:      common.Address(cfg.Governor),
		Delay:         big.NewInt(int64(cfg.Delay / time.Second)),
		UnsafeDevKeys: cfg.UnsafeDevKeys,
		Registrations: registrations,
	}
	for _, o := range cfg.Operators {
		config.Operators = append(config.Operators, common.Address(o))
	}
	root := new(big.Int).SetBytes(cfg.GenesisRoot[:])
	return d.create(ctx, name, bindings.RollupMetaData.Bin, bindings.NewRollup().PackConstructor(root, cfg.GenesisHash, config), nil)
}
