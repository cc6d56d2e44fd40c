package l1

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle/publicdata"
)

// settlementData decodes D of each batch, in order, from a call of settle or of
// settleAggregate. What the contract accepts it can read, however it is laid out.
func (c *Client) settlementData(calldata []byte) ([]*publicdata.Data, error) {
	if len(calldata) < 4 {
		return nil, errors.New("it calls nothing")
	}
	parsed := c.contract.GetABI()
	method, err := parsed.MethodById(calldata[:4])
	if err != nil {
		return nil, errors.New("it calls nothing of the rollup")
	}
	arguments := map[string]any{}
	if err := method.Inputs.UnpackIntoMap(arguments, calldata[4:]); err != nil {
		return nil, err
	}
	switch method.Name {
	case "settle":
		words, err := wordsOf(arguments)
		if err != nil {
			return nil, err
		}
		d, err := publicdata.Parse(words)
		if err != nil {
			return nil, err
		}
		return []*publicdata.Data{d}, nil
	case "settleAggregate":
		return groupData(arguments)
	}
	return nil, fmt.Errorf("it calls %s", method.Name)
}

// groupData reads as many batches as there are commitments.
func groupData(arguments map[string]any) ([]*publicdata.Data, error) {
	commitments, ok := arguments["commitments"].([]*big.Int)
	if !ok {
		return nil, errors.New("the argument commitments is no list of numbers")
	}
	rest, err := wordsOf(arguments)
	if err != nil {
		return nil, err
	}
	out := make([]*publicdata.Data, len(commitments))
	for i := range out {
		var words []fr.Element
		if words, rest, err = publicdata.Split(rest); err != nil {
			return nil, fmt.Errorf("batch at place %d: %w", i, err)
		}
		if out[i], err = publicdata.Parse(words); err != nil {
			return nil, fmt.Errorf("batch at place %d: %w", i, err)
		}
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%d words behind the last batch", len(rest))
	}
	return out, nil
}

// wordsOf reads the argument words.
func wordsOf(arguments map[string]any) ([]fr.Element, error) {
	numbers, ok := arguments["words"].([]*big.Int)
	if !ok {
		return nil, errors.New("the argument words is no list of numbers")
	}
	words := make([]fr.Element, len(numbers))
	for i, n := range numbers {
		if n.Cmp(fr.Modulus()) >= 0 {
			return nil, fmt.Errorf("word %d is not below the modulus", i)
		}
		words[i].SetBigInt(n)
	}
	return words, nil
}
