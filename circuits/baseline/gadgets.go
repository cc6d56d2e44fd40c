package baseline

import (
	"fmt"
	"math/big"
	"slices"

	tedwards "github.com/consensys/gnark-crypto/ecc/twistededwards"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/algebra/native/twistededwards"
	"github.com/consensys/gnark/std/conversion"
	"github.com/consensys/gnark/std/hash"
	poseidonhash "github.com/consensys/gnark/std/hash/poseidon2"
	"github.com/consensys/gnark/std/math/uints"
	"github.com/consensys/gnark/std/permutation/poseidon2"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/consensys/gnark/std/signature/eddsa"

	"github.com/zksettle/settle"
)

// gadgets are gnark's standard gadgets that the circuit is made of.
type gadgets struct {
	api    frontend.API
	node   *poseidon2.Permutation // 2-to-1 compression of the tree
	hasher hash.StateStorer       // Merkle–Damgård over the same
	curve  twistededwards.Curve
	ranges frontend.Rangechecker
	bytes  *uints.Bytes

	without string
}

func newGadgets(api frontend.API, without string) (*gadgets, error) {
	node, err := poseidon2.NewPoseidon2(api)
	if err != nil {
		return nil, fmt.Errorf("poseidon2: %w", err)
	}
	hasher, err := poseidonhash.New(api)
	if err != nil {
		return nil, fmt.Errorf("poseidon2: %w", err)
	}
	curve, err := twistededwards.NewEdCurve(api, tedwards.BN254)
	if err != nil {
		return nil, fmt.Errorf("twisted Edwards curve: %w", err)
	}
	bytes, err := uints.NewBytes(api)
	if err != nil {
		return nil, fmt.Errorf("bytes: %w", err)
	}
	return &gadgets{api: api, node: node, hasher: hasher, curve: curve, ranges: rangecheck.New(api), bytes: bytes, without: without}, nil
}

// has reports whether a rule is in force: each is, outside tests.
func (g *gadgets) has(rule string) bool { return rule != g.without }

func (g *gadgets) checkWidth(rule string, v frontend.Variable, bits int) {
	if g.has(rule) {
		g.ranges.Check(v, bits)
	}
}

func (g *gadgets) hash2(a, b frontend.Variable) frontend.Variable {
	g.hasher.Reset()
	g.hasher.Write(a, b)
	return g.hasher.Sum()
}

// packed is Σ fields[i]·2^(widths before i).
func (g *gadgets) packed(widths []int, fields ...frontend.Variable) frontend.Variable {
	sum, shift := frontend.Variable(0), 0
	for i, f := range fields {
		sum = g.api.Add(sum, g.api.Mul(f, powerOfTwo(uint(shift))))
		shift += widths[i]
	}
	return sum
}

// message is what a sender signs: his transfer, packed into one element of 192
// bits, compressed with the domain. Each field is checked to its width elsewhere.
func (g *gadgets) message(domain frontend.Variable, fields ...frontend.Variable) frontend.Variable {
	return g.node.Compress(domain, g.packed(messageWidths(), fields...))
}

// leaf commits to an account: Merkle–Damgård of the owner and of token, nonce and
// balance, packed.
func (g *gadgets) leaf(owner, token, nonce, balance frontend.Variable) frontend.Variable {
	return g.hash2(owner, g.packed(leafWidths(), token, nonce, balance))
}

// opened is an account of which a leaf has one reading.
type opened struct {
	AccountWires
	token frontend.Variable
	index []frontend.Variable // bits, low first: the path
}

// open checks the width of an account's nonce; the token's is checked once for the
// batch, and the balance's follows from that of the new balance, which whoever opens
// an account checks: they differ by less than 2^140, so that token, nonce and balance,
// packed, stay far below the modulus.
func (g *gadgets) open(a AccountWires, token frontend.Variable) opened {
	g.checkWidth("nonce width", a.Nonce, settle.NonceBits)
	return opened{a, token, g.api.ToBinary(a.Index, len(a.Path))}
}

// update asserts that the account stands under a root as it was opened, and returns
// the root with its new nonce and balance.
func (g *gadgets) update(root frontend.Variable, a opened, nonce, balance frontend.Variable) frontend.Variable {
	before := g.rootOf(a, g.leaf(a.Owner, a.token, a.Nonce, a.Balance))
	if g.has("path") {
		g.api.AssertIsEqual(root, before)
	}
	return g.rootOf(a, g.leaf(a.Owner, a.token, nonce, balance))
}

func (g *gadgets) rootOf(a opened, node frontend.Variable) frontend.Variable {
	for i, sibling := range a.Path {
		left := g.api.Select(a.index[i], sibling, node)
		right := g.api.Sub(g.api.Add(sibling, node), left)
		node = g.node.Compress(left, right)
	}
	return node
}

type decoded struct {
	value frontend.Variable
	bits  []frontend.Variable // of the encoding, low first
}

// float decodes mantissa·10^exponent, the exponent being the upper 5 bits.
func (g *gadgets) float(encoded frontend.Variable, width int) decoded {
	bits := g.api.ToBinary(encoded, width)
	mantissa := width - exponentBits
	value := g.api.FromBinary(bits[:mantissa]...)
	power := big.NewInt(10)
	for _, bit := range bits[mantissa:] {
		value = g.api.Mul(value, g.api.Add(1, g.api.Mul(bit, new(big.Int).Sub(power, big.NewInt(1)))))
		power = new(big.Int).Mul(power, power)
	}
	return decoded{value, bits}
}

// verify asserts a signature. gnark leaves it to the caller that R and the key lie on
// the curve: its formulas divide without a check, and R = (0, 0) would sign anything.
func (g *gadgets) verify(signature eddsa.Signature, message frontend.Variable, key eddsa.PublicKey) error {
	g.curve.AssertIsOnCurve(key.A)
	if g.has("R on the curve") {
		g.curve.AssertIsOnCurve(signature.R)
	}
	g.hasher.Reset()
	valid, err := eddsa.IsValid(g.curve, signature, message, key, g.hasher)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	if g.has("signature") {
		g.api.AssertIsEqual(valid, 1)
	}
	return nil
}

// pad fills an index up to its 32 published bits.
func (g *gadgets) pad(bits []frontend.Variable) []frontend.Variable {
	bits = slices.Clone(bits)
	for len(bits) < settle.IndexBits {
		bits = append(bits, 0)
	}
	return bits
}

// bytesOf packs bits, low first, into bytes, high first.
func (g *gadgets) bytesOf(bits []frontend.Variable) []uints.U8 {
	var out []uints.U8
	for chunk := range slices.Chunk(bits, 8) {
		out = append(out, g.bytes.ValueOf(g.api.FromBinary(chunk...)))
	}
	slices.Reverse(out)
	return out
}

// canonicalBytes are the 32 bytes, high first, of an element below the modulus.
func (g *gadgets) canonicalBytes(v frontend.Variable) ([]uints.U8, error) {
	b, err := conversion.NativeToBytes(g.api, v)
	if err != nil {
		return nil, fmt.Errorf("bytes of an element: %w", err)
	}
	return b, nil
}
