package state

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/schnorr"
)

// ErrGenesis reports a genesis that no rollup can start from.
var ErrGenesis = errors.New("invalid genesis")

// Genesis is the state after batch 0. The account at position i has index i and
// nonce 0.
type Genesis struct {
	Accounts    []GenesisAccount    `json:"accounts"`
	FeeAccounts []GenesisFeeAccount `json:"fee_accounts"`
}

// GenesisAccount is one account of a genesis file. All fields are required.
type GenesisAccount struct {
	Owner   schnorr.PublicKey `json:"owner"`
	Token   settle.TokenID    `json:"token"`
	Balance settle.Amount     `json:"balance"`
	L1      settle.Address    `json:"l1"`
}

// GenesisFeeAccount names the account that is credited the fees of a token.
type GenesisFeeAccount struct {
	Token settle.TokenID      `json:"token"`
	Index settle.AccountIndex `json:"index"`
}

// ParseGenesis reads a genesis file (docs/protocol.md). Unknown and missing
// fields are refused. Errors wrap ErrGenesis and name the account by its index.
func ParseGenesis(file []byte) (*Genesis, error) {
	var lists struct {
		Accounts    *[]json.RawMessage `json:"accounts"`
		FeeAccounts *[]json.RawMessage `json:"fee_accounts"`
	}
	if err := strictJSON(file, &lists, "accounts", "fee_accounts"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGenesis, err)
	}
	if lists.Accounts == nil || lists.FeeAccounts == nil {
		return nil, fmt.Errorf("%w: expected the two lists accounts and fee_accounts", ErrGenesis)
	}
	g := new(Genesis)
	if n := len(*lists.Accounts); n > 0 {
		g.Accounts = make([]GenesisAccount, n)
	}
	if err := firstInParallel(len(g.Accounts), func(i int) (err error) {
		g.Accounts[i], err = parseGenesisAccount((*lists.Accounts)[i])
		return err
	}); err != nil {
		return nil, err
	}
	for i, raw := range *lists.FeeAccounts {
		var f struct {
			Token *settle.TokenID      `json:"token"`
			Index *settle.AccountIndex `json:"index"`
		}
		if err := strictJSON(raw, &f, "token", "index"); err != nil {
			return nil, fmt.Errorf("%w: fee account entry %d: %w", ErrGenesis, i, err)
		}
		if f.Token == nil || f.Index == nil {
			return nil, fmt.Errorf("%w: fee account entry %d: a field is missing, expected token and index", ErrGenesis, i)
		}
		g.FeeAccounts = append(g.FeeAccounts, GenesisFeeAccount{*f.Token, *f.Index})
	}
	if err := g.Validate(); err != nil {
		return nil, err
	}
	return g, nil
}

func parseGenesisAccount(raw json.RawMessage) (GenesisAccount, error) {
	var a struct {
		Owner   *schnorr.PublicKey `json:"owner"`
		Token   *settle.TokenID    `json:"token"`
		Balance *settle.Amount     `json:"balance"`
		L1      *settle.Address    `json:"l1"`
	}
	if err := strictJSON(raw, &a, "owner", "token", "balance", "l1"); err != nil {
		return GenesisAccount{}, err
	}
	if a.Owner == nil || a.Token == nil || a.Balance == nil || a.L1 == nil {
		return GenesisAccount{}, errors.New("a field is missing, expected owner, token, balance and l1")
	}
	return GenesisAccount{*a.Owner, *a.Token, *a.Balance, *a.L1}, nil
}

// firstInParallel calls check for all accounts on all cores and returns the error of
// the first account that has one, as ErrGenesis.
func firstInParallel(accounts int, check func(int) error) error {
	const chunk = 256
	errs := make([]error, (accounts+chunk-1)/chunk)
	inParallel(len(errs), func(c int) {
		for i := c * chunk; i < min(accounts, (c+1)*chunk); i++ {
			if err := check(i); err != nil {
				errs[c] = fmt.Errorf("%w: account %d: %w", ErrGenesis, i, err)
				return
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// strictJSON decodes one JSON object that has only these fields, each once, and nothing
// behind it.
func strictJSON(b []byte, v any, fields ...string) error {
	if err := exactFields(b, fields); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) && mismatch.Field != "" {
			return fmt.Errorf("field %s is a JSON %s, expected a value of type %s", mismatch.Field, mismatch.Value, mismatch.Type.Kind())
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("expected the end of the file behind the JSON object")
	}
	return nil
}

// exactFields looks at the names of an object's fields, of which encoding/json takes any
// case, and the last of several. What is no object is left to it.
func exactFields(b []byte, fields []string) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil //nolint:nilerr // Decode says better what is wrong
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		switch {
		case !slices.Contains(fields, name):
			return fmt.Errorf("unknown field %q, expected %s", name, strings.Join(fields, ", "))
		case seen[name]:
			return fmt.Errorf("field %s is there twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// Validate reports, as ErrGenesis, owners off the curve, zero l1 addresses,
// tokens whose sum reaches 2^128, and fee accounts that are missing, doubled or
// of another token.
func (g *Genesis) Validate() error {
	if err := firstInParallel(len(g.Accounts), func(i int) error {
		switch a := g.Accounts[i]; {
		case !schnorr.OnCurve(a.Owner.X):
			return fmt.Errorf("owner %s is not a public key on the curve", a.Owner)
		case a.L1 == (settle.Address{}):
			return errors.New("l1 is the zero address, expected the address that exits are paid to")
		}
		return nil
	}); err != nil {
		return err
	}
	sums := map[settle.TokenID]settle.Amount{}
	for i, a := range g.Accounts {
		sum, ok := sums[a.Token].Add(a.Balance)
		if !ok {
			return fmt.Errorf("%w: account %d: its balance of %s brings the sum of token %d to 2^128 or more, expected less",
				ErrGenesis, i, a.Balance, a.Token)
		}
		sums[a.Token] = sum
	}
	seen := map[settle.TokenID]settle.AccountIndex{}
	for _, f := range g.FeeAccounts {
		if first, ok := seen[f.Token]; ok {
			return fmt.Errorf("%w: token %d has the fee accounts %d and %d, expected one", ErrGenesis, f.Token, first, f.Index)
		}
		seen[f.Token] = f.Index
		if int64(f.Index) >= int64(len(g.Accounts)) {
			return fmt.Errorf("%w: fee account %d of token %d does not exist, the last account is %d", ErrGenesis, f.Index, f.Token, len(g.Accounts)-1)
		}
		if held := g.Accounts[f.Index].Token; held != f.Token {
			return fmt.Errorf("%w: fee account %d holds token %d, expected token %d", ErrGenesis, f.Index, held, f.Token)
		}
	}
	return nil
}

// Hash is SHA-256 of the canonical encoding: compact JSON with the fields in
// the order of the types above, fee accounts sorted by token. It does not
// depend on white space, the case of hexadecimal digits or the order of fee accounts in the file.
func (g *Genesis) Hash() settle.Hash {
	canonical := Genesis{
		Accounts:    append([]GenesisAccount{}, g.Accounts...),
		FeeAccounts: append([]GenesisFeeAccount{}, g.FeeAccounts...),
	}
	slices.SortFunc(canonical.FeeAccounts, func(a, b GenesisFeeAccount) int { return cmp.Compare(a.Token, b.Token) })
	encoded, err := json.Marshal(canonical)
	if err != nil {
		panic(fmt.Sprintf("state: encode a genesis: %v", err)) // numbers and strings only
	}
	return sha256.Sum256(encoded)
}

// State returns the state after batch 0 under a domain, or ErrGenesis.
func (g *Genesis) State(h *poseidon.Hasher, domain fr.Element) (*State, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	accounts := make([]Indexed, len(g.Accounts))
	for i, a := range g.Accounts {
		accounts[i] = Indexed{
			Index:   settle.AccountIndex(i),
			Account: Account{Owner: a.Owner.X, Token: a.Token, Balance: a.Balance, L1: a.L1},
		}
	}
	fees := make(map[settle.TokenID]settle.AccountIndex, len(g.FeeAccounts))
	for _, f := range g.FeeAccounts {
		fees[f.Token] = f.Index
	}
	return Load(h, domain, 0, accounts, fees)
}

// Root returns the state root, which does not depend on a domain.
func (g *Genesis) Root(h *poseidon.Hasher) (fr.Element, error) {
	s, err := g.State(h, fr.Element{})
	if err != nil {
		return fr.Element{}, err
	}
	return s.Root(), nil
}
