package api_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// plain is an item as the second reading finds it.
type plain struct {
	Kind        settle.Kind
	From, To    settle.AccountIndex
	Token       settle.TokenID
	Amount, Fee settle.Amount
	Nonce       settle.Nonce
	ValidUntil  settle.BatchNumber
	ToOwner     settle.Element
	ToL1        settle.Address
	PublicKey   settle.Element
	Signature   [schnorr.SignatureSize]byte
}

// plainly is a transaction in the plain form.
func plainly(t *testing.T, tx *state.Transaction) plain {
	t.Helper()
	amount, err := settle.AmountFromBig(tx.Amount.Value())
	require.NoError(t, err)
	fee, err := settle.AmountFromBig(tx.Fee.Value())
	require.NoError(t, err)
	return plain{
		Kind: tx.Kind, From: tx.From, To: tx.To, Token: tx.Token, Amount: amount, Fee: fee, Nonce: tx.Nonce, ValidUntil: tx.ValidUntil,
		ToOwner: tx.ToOwner.Bytes(), ToL1: tx.ToL1, PublicKey: tx.PublicKey.Bytes(), Signature: tx.Signature.Bytes(),
	}
}

// FuzzSubmission posts bodies to the handler, over a store in memory. With sign, the
// signatures of what can be read are made good, so that acceptance is reached with
// changed fields. What is accepted is what a second, plain reading of the body finds,
// submitting it again in our own encoding finds it there, and nothing else is stored.
func FuzzSubmission(f *testing.F) {
	d := newDesk(f)
	d.seedSubmissions(f)
	f.Fuzz(func(t *testing.T, body []byte, media string, sign bool) {
		d.rig.t = t
		d.shelf.reset()
		if sign {
			body = d.signAll(body)
		}
		var out reply
		allocated := heap.Allocated(func() { out = d.post(t, body, media) })
		require.Less(t, allocated, uint64(16<<20+64*len(body)), "an item costs no more than its refusal")
		switch {
		case out.status == http.StatusUnsupportedMediaType:
			require.NotEqual(t, "application/json", media)
		case !json.Valid(body):
			require.Equal(t, settle.CodeMalformedJSON, out.problem.Code)
		case bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")):
			d.requireResults(t, body, out)
		case out.status < 300:
			var receipt wire.Receipt
			require.NoError(t, strictly(out.body, &receipt))
			require.Len(t, d.shelf.admitted, 1)
			d.requireAccepted(t, body, receipt.ID, d.shelf.admitted[0])
		default:
			require.Empty(t, d.shelf.admitted, "refused, and stored all the same")
		}
		d.requireExisting(t)
	})
}

func (d *desk) seedSubmissions(f *testing.F) {
	var items []string
	for _, o := range []struct {
		by    int
		order client.Order
	}{
		{alice, client.Transfer{From: alice, To: bob, Receiver: d.wallets[bob].Address(), Amount: settle.NewAmount(1), Fee: settle.NewAmount(minFee)}},
		{alice, client.Open{From: alice, Account: d.wallets[bob].Address(), Amount: settle.NewAmount(5), Fee: settle.NewAmount(minFee), ValidUntil: 9}},
		{bob, client.Exit{From: bob, Amount: settle.NewAmount(5), Fee: settle.NewAmount(minFee), Nonce: 255}},
		{carol, client.ExitAll{From: carol, Token: 1, Fee: settle.NewAmount(minFee)}},
		{bob, client.Exit{From: bob, Amount: settle.NewAmount(5), Fee: settle.NewAmount(minFee), Nonce: 256}},
	} {
		tx := d.signed(o.by, o.order)
		encoded, err := json.Marshal(tx)
		require.NoError(f, err)
		items = append(items, string(encoded))
		f.Add(encoded, "application/json", true)
		f.Add([]byte(strings.Replace(items[len(items)-1], `"token":`, `"token": 1`, 1)), "application/json", true)
	}
	first := items[0]
	for _, body := range []string{
		"[" + strings.Join(append(items, first, "1", "{}"), ", ") + "]",
		strings.Replace(first, `"from":2`, `"from":2,"from":3`, 1), strings.Replace(first, `"from"`, `"From"`, 1),
		strings.Replace(first, `"from":2`, `"from":2.0`, 1), strings.Replace(first, `"from":2`, `"from":"2"`, 1), strings.Replace(first, `"from":2`, `"from":null`, 1),
		strings.Replace(first, `"amount":"1"`, `"amount":"34359738369"`, 1), strings.Replace(first, `"amount":"1"`, `"amount":"01"`, 1),
		strings.Replace(first, `"amount":"1"`, `"amount":"1e3"`, 1), strings.Replace(first, `"amount":"1"`, `"\u0061mount":"\u0031"`, 1),
		strings.Replace(first, `"amount":"1"`, `"amount":1`, 1), strings.Replace(first, `"kind":"transfer"`, `"kind":"deposit"`, 1),
		strings.Replace(first, `"valid_until":0,`, ``, 1), strings.Replace(first, `"nonce":0`, `"nonce":1099511627775`, 1),
		"", " ", "null", "true", "1", `"x"`, "[]", "[[]]", "{", "[{]", "{}", first + first, "[" + strings.Repeat("0,", settle.MaxSubmitItems) + "0]",
	} {
		f.Add([]byte(body), "application/json", true)
	}
	f.Add([]byte(first), "application/json; charset=utf-8", false)
	f.Add([]byte(first), "", false)
	f.Add([]byte(first), "text/plain", false)
	spoilt := strings.Replace(first, `"signature":"0x`, `"signature":"0xff`, 1)
	f.Add([]byte(spoilt[:len(spoilt)-4]+spoilt[len(spoilt)-2:]), "application/json", false)
}

func (d *desk) post(t *testing.T, body []byte, media string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://api/v1/transactions", bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", media)
	return d.answer(t, r)
}

// requireResults: one result for each item, in order; the accepted ones are what was stored.
func (d *desk) requireResults(t *testing.T, body []byte, out reply) {
	t.Helper()
	var raws []json.RawMessage
	require.NoError(t, json.Unmarshal(body, &raws))
	if len(raws) > settle.MaxSubmitItems {
		require.Equal(t, settle.CodeTooManyItems, out.problem.Code)
		require.Empty(t, d.shelf.admitted)
		return
	}
	require.Equal(t, http.StatusOK, out.status)
	var results wire.Results
	require.NoError(t, strictly(out.body, &results))
	require.Len(t, results.Results, len(raws))
	stored := d.shelf.admitted
	counts := wire.Results{}
	for i, result := range results.Results {
		switch {
		case result.Problem != nil:
			require.Equal(t, i, *result.Problem.Index)
			requireProblem(t, d.codes, *result.Problem)
			counts.Refused++
		case result.Existing:
			counts.Existing++
		default:
			require.NotEmpty(t, stored)
			d.requireAccepted(t, raws[i], *result.ID, stored[0])
			stored = stored[1:]
			counts.Accepted++
		}
	}
	require.Empty(t, stored)
	require.Equal(t, counts, wire.Results{Accepted: results.Accepted, Existing: results.Existing, Refused: results.Refused})
}

// requireAccepted compares what was stored with the second reading.
func (d *desk) requireAccepted(t *testing.T, raw []byte, id settle.Hash, got admission.Checked) {
	t.Helper()
	want, ok := readPlainly(raw)
	require.True(t, ok, "accepted: %s", raw)
	require.Equal(t, got.ID, id)
	require.True(t, got.Amount.Canonical() && got.Fee.Canonical())
	require.Equal(t, want, plainly(t, &got.Transaction))
	require.Equal(t, plainID(d.genesis.Rollup.Domain, want), got.ID)
	sig, err := schnorr.ParseSignature(want.Signature[:])
	require.NoError(t, err)
	require.NoError(t, schnorr.Verify(element(want.PublicKey), plainMessage(d.genesis.Rollup.Domain, want), sig))
}

// requireExisting submits what was accepted again, as our own client encodes it.
func (d *desk) requireExisting(t *testing.T) {
	t.Helper()
	for _, admitted := range d.shelf.admitted {
		s := plainly(t, &admitted.Transaction)
		encoded, err := json.Marshal(wire.Transaction{
			Kind: s.Kind.String(), From: s.From, To: s.To, Token: s.Token, Amount: s.Amount, Fee: s.Fee, Nonce: s.Nonce, ValidUntil: s.ValidUntil,
			ToOwner: s.ToOwner, ToL1: s.ToL1, PublicKey: s.PublicKey, Signature: s.Signature,
		})
		require.NoError(t, err)
		out := d.post(t, encoded, "application/json")
		require.Equal(t, http.StatusOK, out.status, "%s", out.body)
		require.JSONEq(t, `{"id":"`+admitted.ID.String()+`","status":"accepted","existing":true}`, string(out.body))
	}
}

// signAll replaces the signatures in a body by good ones of the senders.
func (d *desk) signAll(body []byte) []byte {
	raws := []json.RawMessage{body}
	if json.Unmarshal(body, &raws) != nil {
		raws = []json.RawMessage{body}
	}
	for _, raw := range raws[:min(len(raws), 8)] {
		s, ok := readPlainly(raw)
		if !ok || s.From >= users {
			continue
		}
		sig, err := schnorr.Sign(d.keys[s.From], plainMessage(d.genesis.Rollup.Domain, s), nil)
		require.NoError(d.rig.t, err)
		old, good := hex.EncodeToString(s.Signature[:]), sig.Bytes()
		body = bytes.Replace(body, []byte(old), []byte(hex.EncodeToString(good[:])), 1)
	}
	return body
}

// readPlainly is the second reading of an item: by encoding/json into a map, and patterns.
func readPlainly(raw []byte) (s plain, ok bool) {
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(&m) != nil {
		return s, false
	}
	ok = true
	number := func(name string, bits int) uint64 {
		n, isNumber := m[name].(json.Number)
		v, isInteger := new(big.Int).SetString(string(n), 10)
		delete(m, name)
		if !isNumber || !isInteger || n[0] == '-' || v.BitLen() > bits {
			ok = false
			return 0
		}
		return v.Uint64()
	}
	text := func(name, pattern string) string {
		v, isString := m[name].(string)
		delete(m, name)
		ok = ok && isString && regexp.MustCompile(pattern).MatchString(v)
		return v
	}
	amount := func(name string) settle.Amount {
		v, _ := new(big.Int).SetString(text(name, `^(0|[1-9][0-9]*)$`), 10)
		if !ok {
			return settle.Amount{}
		}
		a, err := settle.AmountFromBig(v)
		ok = err == nil
		return a
	}
	bytesOf := func(into []byte, name string) {
		b, err := hex.DecodeString(strings.TrimPrefix(text(name, `^0x([0-9a-fA-F]{2})*$`), "0x"))
		ok = ok && err == nil && copy(into, b) == len(into) && len(b) == len(into)
	}
	switch text("kind", "") {
	case "transfer":
		s.Kind = 1
	case "open":
		s.Kind = 2
	case "exit":
		s.Kind = 3
	case "exit-all":
		s.Kind = 4
	}
	s.From, s.To = settle.AccountIndex(number("from", 32)), settle.AccountIndex(number("to", 32))
	s.Token, s.Nonce = settle.TokenID(number("token", 32)), settle.Nonce(number("nonce", 40))
	if _, there := m["valid_until"]; there {
		s.ValidUntil = settle.BatchNumber(number("valid_until", 32))
	}
	s.Amount, s.Fee = amount("amount"), amount("fee")
	bytesOf(s.ToOwner[:], "to_owner")
	bytesOf(s.ToL1[:], "to_l1")
	bytesOf(s.PublicKey[:], "public_key")
	bytesOf(s.Signature[:], "signature")
	if _, err := state.NewFloat40(s.Amount); err != nil {
		return s, false
	}
	_, err := state.NewFloat16(s.Fee)
	return s, ok && err == nil && len(m) == 0 && s.Kind != 0
}

func element(e settle.Element) (x fr.Element) { return *x.SetBytes(e[:]) }

// plainMessage packs what is signed by shifts (docs/protocol.md).
func plainMessage(domain settle.Element, s plain) schnorr.Message {
	amount, _ := state.NewFloat40(s.Amount) // readable, so they fit
	fee, _ := state.NewFloat16(s.Fee)
	m, shift := new(big.Int), uint(0)
	for _, f := range []struct {
		value uint64
		bits  uint
	}{
		{uint64(s.Kind), 4}, {uint64(s.From), 32}, {uint64(s.To), 32}, {uint64(s.Token), 32},
		{uint64(amount), 40}, {uint64(fee), 16}, {uint64(s.Nonce), 40}, {uint64(s.ValidUntil), 32},
	} {
		m.Add(m, new(big.Int).Lsh(new(big.Int).SetUint64(f.value), shift))
		shift += f.bits
	}
	var packed fr.Element
	packed.SetBigInt(m)
	return schnorr.Message{M: packed, Domain: element(domain), ToOwner: element(s.ToOwner), ToL1: element(settle.Element(append(make([]byte, 12), s.ToL1[:]...)))}
}

// plainID is keccak256(domain ‖ A.x ‖ m ‖ toOwner ‖ toL1).
func plainID(domain settle.Element, s plain) settle.Hash {
	m := plainMessage(domain, s)
	hash := sha3.NewLegacyKeccak256()
	for _, e := range []fr.Element{m.Domain, element(s.PublicKey), m.M, m.ToOwner, m.ToL1} {
		b := e.Bytes()
		hash.Write(b[:])
	}
	return settle.Hash(hash.Sum(nil))
}
