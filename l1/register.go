package l1

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zksettle/settle"
)

// Codes of changes to the registry that are refused (docs/runbook.md). They never
// change meaning.
const (
	CodeNotGovernor     settle.Code = "not_governor"         // the account does not govern the rollup
	CodeUnsafeKeys      settle.Code = "unsafe_keys"          // development keys, which the rollup does not admit
	CodeShapeRegistered settle.Code = "shape_registered"     // the shape has a verifier of another key
	CodeInnerKey        settle.Code = "inner_not_registered" // the aggregate folds proofs that the rollup does not take
	CodeNotProposed     settle.Code = "not_proposed"         // there is nothing to activate
	CodeTooEarly        settle.Code = "too_early"            // the timelock runs
	CodeTooLate         settle.Code = "too_late"             // the time to activate has passed
	CodeVerifierChanged settle.Code = "verifier_changed"     // its code is not the one that was proposed
)

// activateGas suffices for an activation that cannot be simulated.
const activateGas = 300_000

// createdLately is among how many of the governor's last transactions a verifier is
// looked for that was deployed and not proposed.
const createdLately = 16

// RegistrarConfig joins a Registrar.
type RegistrarConfig struct {
	ChainID     uint64 // expected; 0: whatever the node serves
	Rollup      settle.Address
	DeployBlock uint64           // where the search for events begins
	Poll        time.Duration    // between looks for a receipt; 0: 200 ms
	Fees        FeePolicy        // of each transaction; Now and Logger are those below
	Now         func() time.Time // nil: time.Now
	Logger      *slog.Logger     // nil discards
}

// Registrar registers verifiers in the contract of a running rollup, as its governor:
// Propose, and Activate once the timelock is over. What it has done lies on L1 alone, so
// that whatever broke off goes on when it is called again.
type Registrar struct {
	*deployer
	client *Client
	cfg    RegistrarConfig
}

// NewRegistrar returns a Registrar that signs with key, or a Refusal (CodeNotGovernor).
// The account must not be used by anybody else meanwhile.
func NewRegistrar(ctx context.Context, node Node, key *ecdsa.PrivateKey, cfg RegistrarConfig) (*Registrar, error) {
	chainID, err := CheckChain(ctx, node, cfg.ChainID)
	if err != nil {
		return nil, err
	}
	if cfg.Poll == 0 {
		cfg.Poll = 200 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	cfg.Fees.Now, cfg.Fees.Logger = cfg.Now, cfg.Logger
	r := &Registrar{&deployer{wallet: newWallet(node, key, chainID).withPolicy(cfg.Fees), poll: cfg.Poll, journal: noJournal{}}, NewClient(node, cfg.Rollup), cfg}
	governor, err := read(ctx, r.client, "governor", r.client.contract.PackGovernor(), r.client.contract.UnpackGovernor)
	if err != nil {
		return nil, err
	}
	if governor != r.address {
		return nil, settle.Refuse(CodeNotGovernor, "the rollup %s is governed by %s, the key is that of %s: use the governor's",
			cfg.Rollup, settle.Address(governor), settle.Address(r.address))
	}
	return r, nil
}

// Propose deploys a verifier for the key and proposes to register it, unless either is
// done already; the result says from when it can be activated, or that it is registered.
// Refusals: CodeUnsafeKeys, CodeShapeRegistered. ErrKeyMismatch when the key hash that L1
// computes is another one.
func (r *Registrar) Propose(ctx context.Context, k VerifierKey) (Registration, error) {
	unsafe, err := r.client.UnsafeDevKeys(ctx)
	if err != nil {
		return Registration{}, err
	}
	if k.UnsafeDev && !unsafe {
		return Registration{}, settle.Refuse(CodeUnsafeKeys, "%s/%s: the key is a development key, whose maker can prove anything. The rollup %s takes only keys of a ceremony",
			k.Circuit, k.Shape, r.cfg.Rollup)
	}
	done := func(known Registration) bool { return known.Standing != StandingExpired && !known.CodeChanged }
	return r.until(ctx, k.Circuit, k.Shape, k.Hash, done, func(known []Registration) error {
		registration, err := k.registration()
		if err != nil {
			return err
		}
		if registration.Verifier, err = r.deployed(ctx, k, known); err != nil {
			return err
		}
		return r.govern(ctx, "propose", r.client.contract.PackProposeVerifier(registration))
	})
}

// Activate registers a proposed verifier and reads the entry back; one that is
// registered is left alone. Refusals: CodeNotProposed, CodeTooEarly, CodeTooLate,
// CodeVerifierChanged, CodeShapeRegistered.
func (r *Registrar) Activate(ctx context.Context, circuit, shape string, key settle.KeyHash) (Registration, error) {
	done := func(known Registration) bool { return known.Standing == StandingRegistered }
	return r.until(ctx, circuit, shape, key, done, func(known []Registration) error {
		p, err := activatable(circuit+"/"+shape, key, known)
		if err != nil {
			return err
		}
		if err := checkVerifier(ctx, r.node, p.Verifier, key); err != nil {
			return err
		}
		registration, err := VerifierKey{Circuit: circuit, Shape: shape, Version: p.Version, Hash: key}.registration()
		if err != nil {
			return err
		}
		registration.Verifier = common.Address(p.Verifier)
		return r.govern(ctx, "activate", r.client.contract.PackActivateVerifier(registration))
	})
}

// activatable returns the proposal that can be activated, or why there is none.
func activatable(name string, key settle.KeyHash, known []Registration) (Registration, error) {
	refusal := settle.Refuse(CodeNotProposed, "%s with key %s is not proposed: propose it first", name, key)
	for _, p := range known {
		switch {
		case p.CodeChanged:
			refusal = settle.Refuse(CodeVerifierChanged, "the code of verifier %s of %s is not the one that was proposed: find out why, and propose it anew", p.Verifier, name)
		case p.Standing == StandingReady:
			return p, nil
		case p.Standing == StandingWaiting:
			refusal = settle.Refuse(CodeTooEarly, "%s can be activated from %s to %s", name, p.ReadyAt.Format(time.RFC3339), p.Expires.Format(time.RFC3339))
		case p.Standing == StandingExpired:
			refusal = settle.Refuse(CodeTooLate, "%s could be activated until %s: propose it again", name, p.Expires.Format(time.RFC3339))
		}
	}
	return Registration{}, refusal
}

// until looks for registrations of the key and acts, until one of them is done. What is
// in flight from before, of this account, is waited for.
func (r *Registrar) until(ctx context.Context, circuit, shape string, key settle.KeyHash, done func(Registration) bool, act func(known []Registration) error) (Registration, error) {
	name, told := circuit+"/"+shape, false
	for looks := 0; ; looks++ {
		known, err := r.known(ctx, circuit, shape, key)
		if err != nil {
			return Registration{}, err
		}
		for _, k := range known {
			if done(k) {
				return k, nil
			}
		}
		err = act(known)
		switch {
		case err == nil:
			continue
		case !isUnderpriced(err) && !isNonceUsed(err) && !errors.Is(err, errNonceLost) && !(overtaken(err) && looks < overtakenLooks):
			return Registration{}, fmt.Errorf("verifier of %s: %w", name, err)
		}
		if !told {
			r.cfg.Logger.InfoContext(ctx, "a transaction of the governor is in flight; waiting for it", "verifier", name, "reason", err)
		}
		told = true
		timer := time.NewTimer(r.poll)
		select {
		case <-ctx.Done():
			timer.Stop()
			return Registration{}, ctx.Err()
		case <-timer.C:
		}
	}
}

// overtakenLooks is how often the registry is looked at again after the contract said
// that a thing is done already: nodes can know the state before the events.
const overtakenLooks = 50

// overtaken reports whether the contract refused because the same was done since the
// registry was read: by another run, whose transaction was mined meanwhile.
func overtaken(err error) bool {
	revert, ok := AsRevert(err)
	return ok && (revert.Name == "AlreadyProposed" || revert.Name == "EntryExists" || revert.Name == "NotProposed")
}

// known returns entry and proposals of the key. A shape with a verifier of another key
// is a Refusal: roles work with one key for a shape.
func (r *Registrar) known(ctx context.Context, circuit, shape string, key settle.KeyHash) ([]Registration, error) {
	all, err := r.client.Registry(ctx, r.cfg.DeployBlock, r.cfg.Now())
	if err != nil {
		return nil, err
	}
	var ours []Registration
	for _, k := range all {
		switch {
		case k.Circuit != circuit || k.Shape != shape:
		case k.KeyHash == key:
			ours = append(ours, k)
		case k.Standing == StandingRegistered:
			return nil, settle.Refuse(CodeShapeRegistered, "%s/%s is registered with key %s, ours is %s: entries are for ever, and a rollup works with one key for a shape",
				circuit, shape, k.KeyHash, key)
		}
	}
	return ours, nil
}

// deployed returns a verifier for the key: one that was proposed before, one that this
// account deployed lately, or else a new one.
func (r *Registrar) deployed(ctx context.Context, k VerifierKey, known []Registration) (common.Address, error) {
	for _, p := range known {
		if !p.CodeChanged {
			return common.Address(p.Verifier), checkVerifier(ctx, r.node, p.Verifier, k.Hash)
		}
	}
	next, err := minedNonce(ctx, r.node, r.address)
	if err != nil {
		return common.Address{}, err
	}
	for n := next; n > 0 && next-n < createdLately; n-- {
		address := crypto.CreateAddress(r.address, n-1)
		err := checkVerifier(ctx, r.node, settle.Address(address), k.Hash)
		if err == nil {
			return address, nil
		}
		if !isOtherContract(err) {
			return common.Address{}, err
		}
	}
	// At this very nonce: a verifier that is in flight yet, and so was not found, has it.
	entry, _, err := r.verifier(ctx, k, &next)
	if err != nil {
		return common.Address{}, err
	}
	return common.Address(entry.Verifier), nil
}

// isOtherContract reports whether err of checkVerifier says that something else, or
// nothing, is at the address. Any other error says nothing: a second verifier must not
// be deployed because a node did not tell of the first.
func isOtherContract(err error) bool {
	_, reverted := AsRevert(err)
	return reverted || errors.Is(err, ErrKeyMismatch) || errors.Is(err, errNoVerifier) || contains(err, "revert", "invalid opcode", "out of gas")
}

// govern sends a call of the contract and waits until it is mined.
func (r *Registrar) govern(ctx context.Context, what string, call []byte) error {
	to := common.Address(r.cfg.Rollup)
	nonce, err := minedNonce(ctx, r.node, r.address)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	tx, err := r.build(ctx, &to, call, nonce)
	var revert *RevertError
	if errors.As(err, &revert) && revert.Name == "TooEarly" {
		// A node simulates in the time of its head, which on an idle chain lies back.
		tx, err = r.unsimulated(ctx, &to, call, nonce)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if _, err := r.sendAndWait(ctx, tx, r.poll); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (r *Registrar) unsimulated(ctx context.Context, to *common.Address, call []byte, nonce uint64) (*types.Transaction, error) {
	f, err := r.suggest(ctx)
	if err != nil {
		return nil, err
	}
	return r.sign(to, call, nonce, activateGas, f)
}
