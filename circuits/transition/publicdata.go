package transition

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
)

// wordPair is a record of D and the flag that says whether it is there. The
// word is 0 where the flag is.
type wordPair struct{ active, word frontend.Variable }

// sections are the words of D behind the header, in the shape's full size.
type sections struct{ fees, transfers, opens, exits []wordPair }

// publicData binds D to the public inputs: C commits the padded sections and
// the number of words, V evaluates the compacted words at Zeta. The flags of
// each section form a prefix, so the counts in the header determine which
// words D has. The shape has no slots for L1 operations: their count is 0.
func (k *chips) publicData(c *Circuit, s sections) error {
	api := k.api
	counts := k.pack(
		packed{sumFlags(api, s.fees), settle.CountBits},
		packed{0, settle.CountBits}, // L1 operations
		packed{sumFlags(api, s.transfers), settle.CountBits},
		packed{halfFlags(api, s.opens), settle.CountBits},
		packed{halfFlags(api, s.exits), settle.CountBits},
	)
	header := []frontend.Variable{c.Header.Number, c.Header.OldRoot, c.Header.NewRoot, c.Header.Domain, counts}
	var body []wordPair
	for _, section := range [][]wordPair{s.fees, k.pairTransfers(s.transfers), s.opens, s.exits} {
		body = append(body, section...)
	}
	if err := k.commitment(c.C, header, body); err != nil {
		return err
	}
	k.evaluation(c.Zeta, c.V, header, body)
	return nil
}

// halfFlags counts records of two words each.
func halfFlags(api frontend.API, pairs []wordPair) frontend.Variable {
	sum := frontend.Variable(0)
	for i := 0; i < len(pairs); i += 2 {
		sum = api.Add(sum, pairs[i].active)
	}
	return sum
}

func sumFlags(api frontend.API, pairs []wordPair) frontend.Variable {
	sum := frontend.Variable(0)
	for _, p := range pairs {
		sum = api.Add(sum, p.active)
	}
	return sum
}

// pairTransfers puts two records into a word; the word is there iff its first
// record is.
func (k *chips) pairTransfers(records []wordPair) []wordPair {
	shift := new(big.Int).Lsh(big.NewInt(1), publicdata.TransferRecordBits)
	var words []wordPair
	for i := 0; i < len(records); i += 2 {
		w := records[i]
		if i+1 < len(records) {
			w.word = k.api.Add(w.word, k.api.Mul(records[i+1].word, shift))
		}
		words = append(words, w)
	}
	return words
}

func (k *chips) commitment(c frontend.Variable, header []frontend.Variable, body []wordPair) error {
	headerDigest, err := k.poseidon.Sponge(publicdata.HeaderTag, header)
	if err != nil {
		return err
	}
	padded, length := make([]frontend.Variable, len(body)), frontend.Variable(publicdata.HeaderWords)
	for i, p := range body {
		padded[i] = p.word
		length = k.api.Add(length, p.active)
	}
	bodyDigest, err := k.poseidon.Sponge(publicdata.BodyTag, padded)
	if err != nil {
		return err
	}
	digest, err := k.poseidon.Hash4([4]frontend.Variable{headerDigest, bodyDigest, length, poseidon.Tag(publicdata.CTag)})
	if err != nil {
		return err
	}
	k.Zero("data: c is the commitment", k.api.Sub(c, digest))
	return nil
}

// evaluation compacts D by weight: a word that is not there has weight but
// value 0, and leaves the weight of the next as it is.
func (k *chips) evaluation(zeta, v frontend.Variable, header []frontend.Variable, body []wordPair) {
	api := k.api
	sum, weight := frontend.Variable(0), frontend.Variable(1)
	for _, word := range header {
		sum = api.Add(sum, api.Mul(word, weight))
		weight = api.Mul(weight, zeta)
	}
	step := api.Sub(zeta, 1)
	for _, p := range body {
		sum = api.Add(sum, api.Mul(p.word, weight))
		weight = api.Add(weight, api.Mul(api.Mul(p.active, weight), step))
	}
	k.Zero("data: v is the evaluation", api.Sub(v, sum))
}
