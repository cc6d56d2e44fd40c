package schnorr_test

import (
	"crypto/sha512"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/schnorr"
)

// A second implementation of the signature: textbook affine arithmetic on
// big.Int, no curve code of any library.

var (
	fieldR, _ = new(big.Int).SetString("21888242871839275222246405745257275088548364400416034343698204186575808495617", 10)
	orderQ, _ = new(big.Int).SetString("21888242871839275222246405745257275088696311157297823662689037894645226208583", 10)
	lambda, _ = new(big.Int).SetString("2203960485148121921418603742825762020974279258880205651966", 10)
	beta, _   = new(big.Int).SetString("4407920970296243842393367215006156084916469457145843978461", 10)
	baseY, _  = new(big.Int).SetString("17631683881184975370165255887551781615748388533673675138860", 10)
	base      = point{big.NewInt(1), baseY}
	infinity  = point{}
)

// point is affine; nil coordinates are the point at infinity.
type point struct{ x, y *big.Int }

func mod(x *big.Int) *big.Int    { return x.Mod(x, fieldR) }
func mul(a, b *big.Int) *big.Int { return mod(new(big.Int).Mul(a, b)) }
func sub(a, b *big.Int) *big.Int { return mod(new(big.Int).Sub(a, b)) }

func (p point) add(o point) point {
	switch {
	case p.x == nil:
		return o
	case o.x == nil:
		return p
	}
	var slope *big.Int
	if p.x.Cmp(o.x) == 0 {
		if p.y.Cmp(o.y) != 0 {
			return infinity
		}
		slope = mul(mul(big.NewInt(3), mul(p.x, p.x)), new(big.Int).ModInverse(mul(big.NewInt(2), p.y), fieldR))
	} else {
		slope = mul(sub(p.y, o.y), new(big.Int).ModInverse(sub(p.x, o.x), fieldR))
	}
	x := sub(sub(mul(slope, slope), p.x), o.x)
	return point{x, sub(mul(slope, sub(p.x, x)), p.y)}
}

func (p point) times(k *big.Int) point {
	acc := infinity
	for i := k.BitLen() - 1; i >= 0; i-- {
		if acc = acc.add(acc); k.Bit(i) == 1 {
			acc = acc.add(p)
		}
	}
	return acc
}

func liftNaive(x *big.Int) (point, bool) {
	square := sub(mul(x, mul(x, x)), big.NewInt(17))
	y := new(big.Int).ModSqrt(square, fieldR)
	if y == nil {
		return infinity, false
	}
	if y.Bit(0) == 1 {
		y = sub(new(big.Int), y)
	}
	return point{x, y}, true
}

// endomorphismNaive is algorithm 1 of Halo on integers, bit by bit.
func endomorphismNaive(h *big.Int) *big.Int {
	e := new(big.Int).Add(lambda, big.NewInt(1))
	e.Lsh(e, 1)
	for i := 63; i >= 0; i-- {
		step := big.NewInt(-1)
		if h.Bit(2*i) == 1 {
			step.SetInt64(1)
		}
		if h.Bit(2*i+1) == 1 {
			step.Mul(step, lambda)
		}
		e.Lsh(e, 1).Add(e, step)
	}
	return e.Mod(e, orderQ)
}

func element(x *big.Int) (e fr.Element) {
	e.SetBigInt(x)
	return e
}

func integer(e fr.Element) *big.Int { return e.BigInt(new(big.Int)) }

func challengeNaive(rx, public *big.Int, msg schnorr.Message) *big.Int {
	var tag fr.Element
	tag.SetBytes([]byte("settle/sig/v1"))
	lanes := [8]fr.Element{element(rx), element(public), msg.M, msg.Domain, msg.ToOwner, msg.ToL1, tag}
	poseidon.New().Permute8(&lanes)
	return mod(new(big.Int).Add(integer(lanes[0]), rx))
}

// signNaive returns A.x, R.x and s.
func signNaive(sk *big.Int, msg schnorr.Message, fresh []byte) (public, rx, s *big.Int) {
	a := base.times(sk)
	if a.y.Bit(0) == 1 {
		sk = new(big.Int).Sub(orderQ, sk)
	}
	input := sk.FillBytes(make([]byte, 32))
	for _, lane := range []*big.Int{a.x, integer(msg.M), integer(msg.Domain), integer(msg.ToOwner), integer(msg.ToL1), new(big.Int).SetBytes([]byte("settle/sig/v1")), new(big.Int)} {
		input = append(input, lane.FillBytes(make([]byte, 32))...)
	}
	digest := sha512.Sum512(append(input, fresh...))
	k := new(big.Int).SetBytes(digest[:])
	k.Mod(k, orderQ)
	r := base.times(k)
	if r.y.Bit(0) == 1 {
		k.Sub(orderQ, k)
	}
	e := endomorphismNaive(challengeNaive(r.x, a.x, msg))
	s = e.Mul(e, sk)
	return a.x, r.x, s.Mod(s.Add(s, k), orderQ)
}

func verifyNaive(public, rx, s *big.Int, msg schnorr.Message) bool {
	a, okA := liftNaive(public)
	r, okR := liftNaive(rx)
	if !okA || !okR || s.Sign() <= 0 || s.Cmp(orderQ) >= 0 {
		return false
	}
	left := base.times(s)
	right := r.add(a.times(endomorphismNaive(challengeNaive(rx, public, msg))))
	return right.x != nil && left.x.Cmp(right.x) == 0 && left.y.Cmp(right.y) == 0
}
