package state_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/sha3"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/naive"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

var update = flag.Bool("update", false, "rewrite testdata")

type stateVectors struct {
	ChainID      uint64              `json:"chain_id"`
	Rollup       settle.Address      `json:"rollup"`
	Domain       settle.Element      `json:"domain"`
	EmptyRoot    settle.Element      `json:"empty_root"`
	Accounts     []accountVector     `json:"accounts"`
	Root         settle.Element      `json:"root"` // of these accounts
	Transactions []transactionVector `json:"transactions"`
}

type accountVector struct {
	Index   uint32         `json:"index"`
	Owner   settle.Element `json:"owner"`
	Token   uint32         `json:"token"`
	Nonce   uint64         `json:"nonce"`
	Balance settle.Amount  `json:"balance"`
	L1      settle.Address `json:"l1"`
	Leaf    settle.Element `json:"leaf"`
}

type transactionVector struct {
	Kind       uint8          `json:"kind"`
	From       uint32         `json:"from"`
	To         uint32         `json:"to"`
	Token      uint32         `json:"token"`
	Amount     uint64         `json:"amount_float40"`
	Fee        uint16         `json:"fee_float16"`
	Nonce      uint64         `json:"nonce"`
	ValidUntil uint32         `json:"valid_until"`
	ToOwner    settle.Element `json:"to_owner"`
	ToL1       settle.Address `json:"to_l1"`
	PrivateKey int64          `json:"private_key"`
	PublicKey  settle.Element `json:"public_key"`
	M          settle.Element `json:"m"`
	ID         settle.Hash    `json:"id"`
	Signature  string         `json:"signature"` // under all-zero randomness
}

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func makeVectors(t *testing.T) stateVectors {
	h := poseidon.New()
	v := stateVectors{ChainID: 1337, Rollup: settle.Address{0: 0xfe, 19: 0x01}}
	domain := publicdata.Domain(v.ChainID, v.Rollup)
	v.Domain = domain.Bytes()
	empty := state.NewTree(h).Root()
	v.EmptyRoot = empty.Bytes()

	var indexed []state.Indexed
	for i, index := range []uint32{0, 1, 3, 4, 1 << 20, 1<<32 - 1} {
		a := state.Account{
			Owner: privateKey(t, int64(i+1)).Public().X, Token: settle.TokenID(i % 2), Nonce: settle.Nonce(uint64(i) << 34),
			Balance: settle.Amount{Hi: uint64(i) << 60, Lo: 1<<64 - 1}, L1: settle.Address{0: 0xff, 19: byte(i)},
		}
		leaf := a.Leaf(h)
		indexed = append(indexed, state.Indexed{Index: settle.AccountIndex(index), Account: a})
		v.Accounts = append(v.Accounts, accountVector{
			Index: index, Owner: a.Owner.Bytes(), Token: uint32(a.Token), Nonce: uint64(a.Nonce), Balance: a.Balance, L1: a.L1, Leaf: leaf.Bytes(),
		})
	}
	s, err := state.Load(h, domain, 0, indexed, nil)
	require.NoError(t, err)
	root := s.Root()
	v.Root = root.Bytes()

	for i, tx := range []state.Transaction{
		{Kind: settle.KindTransfer, From: 1, To: 2, Token: 3, Amount: 4, Fee: 5, Nonce: 6, ValidUntil: 7},
		{Kind: settle.KindTransfer, From: 1<<32 - 1, To: 1<<32 - 1, Token: 1<<32 - 1, Amount: 1<<40 - 1, Fee: 1<<16 - 1, Nonce: 1<<40 - 1, ValidUntil: 1<<32 - 1},
		{Kind: settle.KindOpen, From: 9, Token: 1, Amount: 1<<35 | 3435973837, Fee: 1<<11 | 205},
		{Kind: settle.KindExit, From: 9, Amount: 1000, Fee: 1, Nonce: 1 << 32},
		{Kind: settle.KindExitAll, From: 9, Fee: 1, Nonce: 1},
	} {
		sk := privateKey(t, int64(i+1))
		tx.PublicKey = sk.Public().X
		if tx.ToL1 = (settle.Address{0: byte(i + 1), 19: 0xee}); i < 3 {
			tx.ToOwner = privateKey(t, int64(i+20)).Public().X
		}
		tx.Signature, err = schnorr.Sign(sk, tx.Message(domain), zeroReader{})
		require.NoError(t, err)
		require.NoError(t, tx.Verify(domain))
		m := tx.M()
		v.Transactions = append(v.Transactions, transactionVector{
			Kind: uint8(tx.Kind), From: uint32(tx.From), To: uint32(tx.To), Token: uint32(tx.Token), Amount: uint64(tx.Amount), Fee: uint16(tx.Fee),
			Nonce: uint64(tx.Nonce), ValidUntil: uint32(tx.ValidUntil), ToOwner: tx.ToOwner.Bytes(), ToL1: tx.ToL1, PrivateKey: int64(i + 1),
			PublicKey: tx.PublicKey.Bytes(), M: m.Bytes(), ID: tx.ID(domain), Signature: tx.Signature.String(),
		})
	}
	return v
}

func TestVectors(t *testing.T) {
	const file = "testdata/vectors.json"
	got, err := json.MarshalIndent(makeVectors(t), "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "regenerate with -update if the format was meant to change")

	var v stateVectors
	require.NoError(t, json.Unmarshal(want, &v))
	leaves := map[settle.AccountIndex]naive.Account{}
	for _, a := range v.Accounts {
		n := naive.Account{
			Owner: new(big.Int).SetBytes(a.Owner[:]), Token: uint64(a.Token), Nonce: a.Nonce, Balance: a.Balance.Big(), L1: new(big.Int).SetBytes(a.L1[:]),
		}
		leaf := n.Leaf(poseidon.New())
		require.Equal(t, a.Leaf, settle.Element(leaf.Bytes()))
		leaves[settle.AccountIndex(a.Index)] = n
	}
	require.Equal(t, naive.Root(leaves), new(big.Int).SetBytes(v.Root[:]))
	require.Equal(t, naive.Root(nil), new(big.Int).SetBytes(v.EmptyRoot[:]))
	for _, x := range v.Transactions {
		require.Equal(t, naiveM(x), new(big.Int).SetBytes(x.M[:]))
		require.Equal(t, naiveID(v.Domain, x), x.ID)
	}
}

// naiveM concatenates the fields as text of bits, the last field first.
func naiveM(x transactionVector) *big.Int {
	bits := fmt.Sprintf("%032b%040b%016b%040b%032b%032b%032b%04b", x.ValidUntil, x.Nonce, x.Fee, x.Amount, x.Token, x.To, x.From, x.Kind)
	m, _ := new(big.Int).SetString(bits, 2)
	return m
}

func naiveID(domain settle.Element, x transactionVector) settle.Hash {
	text := domain.String() + x.PublicKey.String() + fmt.Sprintf("%064x", naiveM(x)) + x.ToOwner.String() +
		strings.Repeat("0", 24) + x.ToL1.String()
	preimage, _ := new(big.Int).SetString(strings.ReplaceAll(text, "0x", ""), 16)
	hash := sha3.NewLegacyKeccak256()
	hash.Write(preimage.FillBytes(make([]byte, 5*32)))
	return settle.Hash(hash.Sum(nil))
}

func TestMessageAgainstText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := transactionVector{
			Kind: rapid.Uint8Max(15).Draw(t, "kind"), From: rapid.Uint32().Draw(t, "from"), To: rapid.Uint32().Draw(t, "to"),
			Token: rapid.Uint32().Draw(t, "token"), Amount: rapid.Uint64Max(1<<40-1).Draw(t, "amount"), Fee: rapid.Uint16().Draw(t, "fee"),
			Nonce: rapid.Uint64Max(1<<40-1).Draw(t, "nonce"), ValidUntil: rapid.Uint32().Draw(t, "valid until"), ToL1: drawAddress(t),
		}
		domain, owner, public := drawElement(t), drawElement(t), drawElement(t)
		x.ToOwner, x.PublicKey = owner.Bytes(), public.Bytes()
		tx := state.Transaction{
			Kind: settle.Kind(x.Kind), From: settle.AccountIndex(x.From), To: settle.AccountIndex(x.To), Token: settle.TokenID(x.Token),
			Amount: state.Float40(x.Amount), Fee: state.Float16(x.Fee), Nonce: settle.Nonce(x.Nonce), ValidUntil: settle.BatchNumber(x.ValidUntil),
			ToOwner: owner, ToL1: x.ToL1, PublicKey: public,
		}
		m := tx.M()
		require.Equal(t, naiveM(x).String(), m.String())
		id := tx.ID(domain)
		require.Equal(t, naiveID(domain.Bytes(), x), id)
		tx.Signature.S[0] = 1
		require.Equal(t, id, tx.ID(domain), "the signature is no part of the id")
	})
}
