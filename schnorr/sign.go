package schnorr

import (
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
)

// NonceRandomness is the number of fresh random bytes that each attempt reads.
const NonceRandomness = 32

// Sign signs msg. random is crypto/rand's if nil; an all-zero reader gives a
// deterministic signature that is still safe, as k depends on every signed lane.
func Sign(sk PrivateKey, msg Message, random io.Reader) (Signature, error) {
	if random == nil {
		random = rand.Reader
	}
	if sk.scalar.IsZero() {
		return Signature{}, ErrPrivateKey
	}
	for {
		var fresh [NonceRandomness]byte
		if _, err := io.ReadFull(random, fresh[:]); err != nil {
			return Signature{}, fmt.Errorf("draw nonce randomness: %w", err)
		}
		k := nonce(sk, msg, fresh)
		if k.IsZero() {
			continue
		}
		point := shared().baseMul(&k)
		if isOdd(&point.Y) {
			k.Neg(&k)
		}
		sig := Signature{RX: fr.Element(point.X)}
		s := EndomorphismScalar(Challenge(sig.RX, sk.public, msg))
		s.Mul(&s, &sk.scalar).Add(&s, &k)
		if s.IsZero() {
			continue
		}
		sig.S = s.Bytes()
		return sig, nil
	}
}

// nonce returns k = SHA-512(sk ‖ A.x ‖ m ‖ domain ‖ toOwner ‖ toL1 ‖ TAG ‖ 0 ‖
// fresh) mod q, each lane 32 big-endian bytes: all of h's lanes but R.x. Were k
// to hash m alone, it would repeat under another domain or receiver and two
// signatures would give sk away; fresh bytes protect against fault attacks.
func nonce(sk PrivateKey, msg Message, fresh [NonceRandomness]byte) scalar.Element {
	secret := sk.scalar.Bytes()
	in := append(make([]byte, 0, 9*32), secret[:]...)
	for _, lane := range []fr.Element{sk.public, msg.M, msg.Domain, msg.ToOwner, msg.ToL1, Tag(), {}} {
		b := lane.Bytes()
		in = append(in, b[:]...)
	}
	digest := sha512.Sum512(append(in, fresh[:]...))
	var k scalar.Element
	k.SetBytes(digest[:])
	return k
}

// Padding returns a public key and a signature that verify over m = 0 and
// toOwner = toL1 = 0 under domain: sk = 1 and all-zero randomness, the same on
// every machine. The circuit's unused transfer slots verify it.
func Padding(domain fr.Element) (fr.Element, Signature) {
	var one scalar.Element
	one.SetOne()
	sk := newPrivateKey(one)
	sig, err := Sign(sk, Message{Domain: domain}, zeros{})
	if err != nil {
		panic("schnorr: " + err.Error()) // zeros never fails and the key is 1
	}
	return sk.public, sig
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
