package bench

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/provingkeys"
)

// Sizes of points in affine coordinates, in bytes.
const (
	g1Bytes = 64
	g2Bytes = 128
	// digitBytes is what a multi-exponentiation keeps per scalar: a 16-bit digit for each
	// of 16 or more windows. Buckets are small beside that.
	digitBytes = 34
	// domainBytes is what a domain keeps per element: roots of unity and of the coset,
	// both ways.
	domainBytes = 4 * fr.Bytes
)

// sampleMemory adds where the memory of a proving process goes: what is exact by the
// lengths of the key and the system as counted, the rest as projected.
func (p *proveShape) sampleMemory(s *record.Sample, keys *provingkeys.Keys) {
	k, system := keys.ProvingKey, keys.System
	wires := system.GetNbInternalVariables() + system.GetNbSecretVariables() + system.GetNbPublicVariables()
	size := int(k.Domain.Cardinality)
	add := func(what string, source record.Source, bytes int) {
		s.Add(record.Value{
			Name: "memory", Labels: labelled(p.label("of", what)), Unit: "bytes", Better: record.Lower, Source: source, Value: float64(bytes),
		})
	}
	bases := 0
	for i := range k.CommitmentKeys {
		bases += g1Bytes * (len(k.CommitmentKeys[i].Basis) + len(k.CommitmentKeys[i].BasisExpSigma))
	}
	add("key: G1 A", record.Counted, g1Bytes*len(k.G1.A))
	add("key: G1 B", record.Counted, g1Bytes*len(k.G1.B))
	add("key: G1 K", record.Counted, g1Bytes*len(k.G1.K))
	add("key: G1 Z", record.Counted, g1Bytes*len(k.G1.Z))
	add("key: G2 B", record.Counted, g2Bytes*len(k.G2.B))
	add("key: commitment", record.Counted, bases)
	add("key: points at infinity", record.Counted, len(k.InfinityA)+len(k.InfinityB))
	add("key: roots of unity", record.Projected, domainBytes*size)
	add("constraint system", record.Projected, int(2*keys.Manifest.System.Bytes))
	add("wires", record.Counted, fr.Bytes*wires)
	add("polynomials a, b, c", record.Counted, 3*fr.Bytes*size)
	scalars := len(k.G1.A) + len(k.G1.B) + len(k.G1.K)
	add("scalars of A, B, K", record.Counted, fr.Bytes*scalars)
	add("digits of all scalars", record.Projected, digitBytes*(scalars+len(k.G2.B)+len(k.G1.Z)))
}
