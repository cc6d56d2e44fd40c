package schnorr_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
)

var update = flag.Bool("update", false, "rewrite testdata")

const vectorFile = "testdata/vectors.json"

type vector struct {
	Name      string            `json:"name"`
	SecretKey settle.Element    `json:"secret_key"` // as given, before negation
	Public    settle.Element    `json:"public"`
	M         settle.Element    `json:"m"`
	Domain    settle.Element    `json:"domain"`
	ToOwner   settle.Element    `json:"to_owner"`
	ToL1      settle.Element    `json:"to_l1"`
	Fresh     settle.Element    `json:"fresh"` // the 32 random bytes of the nonce
	H         settle.Element    `json:"h"`
	E         settle.Element    `json:"e"` // modulo q
	Signature schnorr.Signature `json:"signature"`
}

func (v vector) message() schnorr.Message {
	lane := func(e settle.Element) (x fr.Element) { x.SetBytes(e[:]); return x }
	return schnorr.Message{M: lane(v.M), Domain: lane(v.Domain), ToOwner: lane(v.ToOwner), ToL1: lane(v.ToL1)}
}

// makeVector is deterministic in n; the first ones are the edges.
func makeVector(t *testing.T, n int) vector {
	random := func(label string) *big.Int {
		d := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("settle/schnorr vectors/"+label), uint64(n)))
		return new(big.Int).SetBytes(d[:])
	}
	reduced := func(label string) settle.Element {
		x := element(random(label))
		return x.Bytes()
	}
	v := vector{Name: fmt.Sprintf("random %d", n), M: reduced("m"), Domain: reduced("domain"), ToOwner: reduced("owner"), ToL1: reduced("l1")}
	sk := random("sk")
	sk.Mod(sk, orderQ)
	random("fresh").FillBytes(v.Fresh[:])
	switch n {
	case 0:
		v = vector{Name: "padding under domain 1", Domain: settle.Element{31: 1}}
		sk.SetInt64(1)
	case 1:
		v.Name = "largest scalar"
		sk.Sub(orderQ, big.NewInt(1))
	case 2:
		v.Name = "largest lanes"
		x := element(big.NewInt(-1))
		largest := settle.Element(x.Bytes())
		v.M, v.Domain, v.ToOwner, v.ToL1 = largest, largest, largest, largest
	}
	sk.FillBytes(v.SecretKey[:])
	key, err := schnorr.NewPrivateKey(v.SecretKey[:])
	require.NoError(t, err)
	v.Public = key.Public().Element()
	v.Signature, err = schnorr.Sign(key, v.message(), bytes.NewReader(v.Fresh[:]))
	require.NoError(t, err)
	h := schnorr.Challenge(v.Signature.RX, key.Public().X, v.message())
	e := schnorr.EndomorphismScalar(h)
	v.H, v.E = h.Bytes(), e.Bytes()
	return v
}

func TestVectors(t *testing.T) {
	var made []vector
	for n := range 24 {
		made = append(made, makeVector(t, n))
	}
	if *update {
		text, err := json.MarshalIndent(made, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(vectorFile, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	var stored []vector
	require.NoError(t, json.Unmarshal(text, &stored))
	require.Equal(t, made, stored, "regenerate with: go test ./schnorr -run TestVectors -update")

	number := func(e settle.Element) *big.Int { return new(big.Int).SetBytes(e[:]) }
	for _, v := range stored {
		public, rx, s := signNaive(number(v.SecretKey), v.message(), v.Fresh[:])
		require.Equal(t, number(v.Public), public, v.Name)
		require.Equal(t, integer(v.Signature.RX), rx, v.Name)
		require.Equal(t, number(v.Signature.S), s, v.Name)
		h := challengeNaive(rx, public, v.message())
		require.Equal(t, number(v.H), h, v.Name)
		require.Equal(t, number(v.E), endomorphismNaive(h), v.Name)
		require.True(t, verifyNaive(public, rx, s, v.message()), v.Name)
		require.NoError(t, schnorr.Verify(element(public), v.message(), v.Signature), v.Name)
	}
}

func TestEndomorphism(t *testing.T) {
	require.Equal(t, beta, integer(schnorr.Beta()))
	require.Equal(t, lambda, schnorr.Lambda())
	rapid.Check(t, func(t *rapid.T) {
		k := drawScalar(t, "k")
		p := base.times(k)
		phi := p.times(lambda)
		require.Equal(t, mul(beta, p.x), phi.x, "λ and β are not of one endomorphism")
		require.Equal(t, p.y, phi.y)
		h := element(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "h")))
		e := schnorr.EndomorphismScalar(h)
		require.Equal(t, endomorphismNaive(integer(h)), e.BigInt(new(big.Int)))
	})
	for _, edge := range []*big.Int{new(big.Int), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)), new(big.Int).Sub(fieldR, big.NewInt(1))} {
		e := schnorr.EndomorphismScalar(element(edge))
		require.Equal(t, endomorphismNaive(edge), e.BigInt(new(big.Int)))
	}
}

// No point has x = 0: an account with owner 0 has no key.
func TestZeroIsNoKey(t *testing.T) {
	require.Equal(t, -1, big.Jacobi(new(big.Int).Sub(fieldR, big.NewInt(17)), fieldR))
	require.False(t, schnorr.OnCurve(fr.Element{}))
	_, err := schnorr.ParsePublicKey(make([]byte, 32))
	require.ErrorIs(t, err, schnorr.ErrPublicKey)
}

// A signature has one encoding, R.x then s, as bytes and as text.
func TestSignatureEncoding(t *testing.T) {
	sig := signedItems(t, 1)[0].Signature
	rx := sig.RX.Bytes()
	want := append(rx[:], sig.S[:]...)
	b := sig.Bytes()
	require.Equal(t, want, b[:])
	require.Equal(t, fmt.Sprintf("0x%x", want), sig.String())
	parsed, err := schnorr.ParseSignature(b[:])
	require.NoError(t, err)
	require.Equal(t, sig, parsed)
	require.NoError(t, parsed.UnmarshalText([]byte(sig.String())))
	for _, bad := range []string{sig.String() + "0", sig.String() + "zz", sig.String()[2:], sig.String()[:129], "0x" + sig.String()} {
		require.ErrorIs(t, parsed.UnmarshalText([]byte(bad)), schnorr.ErrSignatureEncoding, bad)
	}
}

func drawScalar(t *rapid.T, label string) *big.Int {
	k := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 48, 48).Draw(t, label))
	k.Mod(k, new(big.Int).Sub(orderQ, big.NewInt(1)))
	return k.Add(k, big.NewInt(1))
}

func drawElement(t *rapid.T, label string) fr.Element {
	return element(new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, label)))
}

func drawMessage(t *rapid.T) schnorr.Message {
	return schnorr.Message{M: drawElement(t, "m"), Domain: drawElement(t, "domain"), ToOwner: drawElement(t, "owner"), ToL1: drawElement(t, "l1")}
}

func TestSignVerifyAgreesWithReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sk, msg := drawScalar(t, "sk"), drawMessage(t)
		key, err := schnorr.NewPrivateKeyFromInt(sk)
		require.NoError(t, err)
		sig, err := schnorr.Sign(key, msg, nil)
		require.NoError(t, err)
		public := key.Public().X
		require.NoError(t, schnorr.Verify(public, msg, sig))
		s := new(big.Int).SetBytes(sig.S[:])
		require.True(t, verifyNaive(integer(public), integer(sig.RX), s, msg))

		// One changed bit of anything makes both refuse.
		b := sig.Bytes()
		flip := rapid.IntRange(0, 8*64-1).Draw(t, "flip")
		b[flip/8] ^= 1 << (flip % 8)
		changed, err := schnorr.ParseSignature(b[:])
		if err != nil {
			require.ErrorIs(t, err, schnorr.ErrSignatureEncoding)
		} else {
			require.ErrorIs(t, schnorr.Verify(public, msg, changed), schnorr.ErrSignature)
			require.False(t, verifyNaive(integer(public), integer(changed.RX), new(big.Int).SetBytes(changed.S[:]), msg))
		}
		one := fr.One()
		for lane, x := range []*fr.Element{&msg.M, &msg.Domain, &msg.ToOwner, &msg.ToL1} {
			before := *x
			x.Add(x, &one)
			require.ErrorIs(t, schnorr.Verify(public, msg, sig), schnorr.ErrSignature, "lane %d", lane)
			*x = before
		}
	})
}

func TestVerifyIsStrict(t *testing.T) {
	item := signedItems(t, 1)[0]
	code := func(err error) settle.Code {
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok)
		return refusal.Code
	}
	for name, s := range map[string]*big.Int{
		"s = 0":     new(big.Int),
		"s = q":     orderQ,
		"s + q":     new(big.Int).Add(orderQ, new(big.Int).SetBytes(item.Signature.S[:])),
		"all ones":  new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)),
		"s = q + 1": new(big.Int).Add(orderQ, big.NewInt(1)),
	} {
		bad := item.Signature
		if s.BitLen() > 256 {
			continue
		}
		s.FillBytes(bad.S[:])
		err := schnorr.Verify(item.Public, item.Message, bad)
		require.ErrorIs(t, err, schnorr.ErrSignatureEncoding, name)
		require.Equal(t, settle.CodeSignatureEncoding, code(err))
	}
	// -s goes with -R, whose y is odd.
	odd := item.Signature
	s := new(big.Int).SetBytes(odd.S[:])
	s.Sub(orderQ, s).FillBytes(odd.S[:])
	err := schnorr.Verify(item.Public, item.Message, odd)
	require.ErrorIs(t, err, schnorr.ErrSignature)
	require.Equal(t, settle.CodeBadSignature, code(err))

	err = schnorr.Verify(fr.Element{}, item.Message, item.Signature)
	require.ErrorIs(t, err, schnorr.ErrPublicKey)
	require.Equal(t, settle.CodeBadSignature, code(err))
}

// R with odd y satisfies s·G = R + e·A for k itself, and is refused.
func TestOddNonceIsRefused(t *testing.T) {
	msg, sk := schnorr.Message{M: fr.NewElement(3)}, big.NewInt(1)
	for k := int64(2); ; k++ {
		r := base.times(big.NewInt(k))
		if r.y.Bit(0) == 0 {
			continue
		}
		s := endomorphismNaive(challengeNaive(r.x, base.x, msg))
		s.Mod(s.Add(s.Mul(s, sk), big.NewInt(k)), orderQ)
		sig := schnorr.Signature{RX: element(r.x)}
		s.FillBytes(sig.S[:])
		require.ErrorIs(t, schnorr.Verify(element(base.x), msg, sig), schnorr.ErrSignature)
		require.False(t, verifyNaive(base.x, r.x, s, msg))
		return
	}
}

func TestNonceDependsOnEveryLane(t *testing.T) {
	key, err := schnorr.NewPrivateKeyFromInt(big.NewInt(5))
	require.NoError(t, err)
	one, zeros := fr.One(), make([]byte, 32)
	seen := map[fr.Element]bool{}
	for _, msg := range []schnorr.Message{{}, {M: one}, {Domain: one}, {ToOwner: one}, {ToL1: one}} {
		sig, err := schnorr.Sign(key, msg, bytes.NewReader(zeros))
		require.NoError(t, err)
		require.False(t, seen[sig.RX], "R repeats: two signatures give the key away")
		seen[sig.RX] = true
	}
	other, err := schnorr.NewPrivateKeyFromInt(big.NewInt(6))
	require.NoError(t, err)
	sig, err := schnorr.Sign(other, schnorr.Message{}, bytes.NewReader(zeros))
	require.NoError(t, err)
	require.False(t, seen[sig.RX])
	first, err := schnorr.Sign(key, schnorr.Message{}, nil)
	require.NoError(t, err)
	second, err := schnorr.Sign(key, schnorr.Message{}, nil)
	require.NoError(t, err)
	require.NotEqual(t, first, second, "no fresh randomness")

	_, err = schnorr.Sign(key, schnorr.Message{}, bytes.NewReader(nil))
	require.ErrorIs(t, err, io.EOF)
	_, err = schnorr.Sign(schnorr.PrivateKey{}, schnorr.Message{}, nil)
	require.ErrorIs(t, err, schnorr.ErrPrivateKey)
}

func TestPadding(t *testing.T) {
	for _, domain := range []fr.Element{{}, fr.NewElement(1337)} {
		public, sig := schnorr.Padding(domain)
		require.Equal(t, fr.One(), public, "the key of sk = 1 is the generator's x")
		require.NoError(t, schnorr.Verify(public, schnorr.Message{Domain: domain}, sig))
		_, again := schnorr.Padding(domain)
		require.Equal(t, sig, again)
	}
}

func TestKeys(t *testing.T) {
	for _, bad := range [][]byte{nil, make([]byte, 32), make([]byte, 31), orderQ.Bytes(), bytes.Repeat([]byte{0xff}, 32)} {
		_, err := schnorr.NewPrivateKey(bad)
		require.ErrorIs(t, err, schnorr.ErrPrivateKey)
	}
	for _, bad := range []*big.Int{big.NewInt(-1), new(big.Int), orderQ, new(big.Int).Lsh(big.NewInt(1), 256)} {
		_, err := schnorr.NewPrivateKeyFromInt(bad)
		require.ErrorIs(t, err, schnorr.ErrPrivateKey)
	}
	key, err := schnorr.GenerateKey(nil)
	require.NoError(t, err)
	secret := key.Bytes()
	back, err := schnorr.NewPrivateKey(secret[:])
	require.NoError(t, err)
	require.Equal(t, key, back)
	negated, err := schnorr.NewPrivateKeyFromInt(new(big.Int).Sub(orderQ, new(big.Int).SetBytes(secret[:])))
	require.NoError(t, err)
	require.Equal(t, key, negated, "sk and q - sk are one key")

	text, err := json.Marshal(map[string]any{"key": key, "public": key.Public()})
	require.NoError(t, err)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", key)
	decimal := new(big.Int).SetBytes(secret[:]).String()
	for _, shown := range []string{string(text), log.String(), fmt.Sprintf("%v %+v %#v %x %d %s", key, key, key, key, key, key)} {
		require.NotContains(t, shown, decimal)
		require.NotContains(t, shown, fmt.Sprintf("%x", secret))
		require.Contains(t, shown, "redacted")
	}
	_, err = schnorr.GenerateKey(bytes.NewReader(nil))
	require.ErrorIs(t, err, io.EOF)
}

func TestPublicKeyEncoding(t *testing.T) {
	key, err := schnorr.GenerateKey(nil)
	require.NoError(t, err)
	b := key.Public().Bytes()
	parsed, err := schnorr.ParsePublicKey(b[:])
	require.NoError(t, err)
	require.Equal(t, key.Public(), parsed)
	off := big.NewInt(1)
	for _, on := liftNaive(off); on; _, on = liftNaive(off) {
		off.Add(off, big.NewInt(1))
	}
	above := new(big.Int).Add(fieldR, new(big.Int).SetBytes(b[:]))
	for _, bad := range [][]byte{b[1:], append(b[:], 0), above.FillBytes(make([]byte, 32)), off.FillBytes(make([]byte, 32))} {
		_, err := schnorr.ParsePublicKey(bad)
		require.ErrorIs(t, err, schnorr.ErrPublicKey)
		_, isRefusal := settle.AsRefusal(err)
		require.True(t, isRefusal)
	}
	var decoded schnorr.PublicKey
	require.NoError(t, decoded.UnmarshalText([]byte(parsed.String())))
	require.Equal(t, parsed, decoded)
	require.ErrorIs(t, decoded.UnmarshalText([]byte("0x12")), schnorr.ErrPublicKey)
}

func TestBatch(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 40} {
		items := signedItems(t, n)
		invalid, err := schnorr.VerifyBatch(items, nil)
		require.NoError(t, err)
		require.Nil(t, invalid)
	}
	one := fr.One()
	spoil := map[string]func(*schnorr.Signed){
		"message":   func(s *schnorr.Signed) { s.Message.M.Add(&s.Message.M, &one) },
		"off curve": func(s *schnorr.Signed) { s.Public.SetZero() },
		"s = 0":     func(s *schnorr.Signed) { s.Signature.S = [32]byte{} },
		"R":         func(s *schnorr.Signed) { s.Signature.RX.SetZero() },
	}
	for name, change := range spoil {
		items := signedItems(t, 12)
		change(&items[3])
		change(&items[9])
		invalid, err := schnorr.VerifyBatch(items, nil)
		require.NoError(t, err)
		require.Len(t, invalid, 12, name)
		for i, bad := range invalid {
			require.Equal(t, i == 3 || i == 9, bad != nil, "%s: item %d: %v", name, i, bad)
		}
	}
	// Errors of equal size and opposite sign cancel under equal coefficients.
	items := signedItems(t, 12)
	shift := func(i int, by int64) {
		s := new(big.Int).SetBytes(items[i].Signature.S[:])
		s.Add(s, big.NewInt(by)).Mod(s, orderQ).FillBytes(items[i].Signature.S[:])
	}
	shift(0, 1)
	shift(1, -1)
	invalid, err := schnorr.VerifyBatch(items, nil)
	require.NoError(t, err)
	require.Error(t, errors.Join(invalid...))
	_, err = schnorr.VerifyBatch(signedItems(t, 8), bytes.NewReader(nil))
	require.ErrorIs(t, err, io.EOF)
}
