package publicdata

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Split takes the first D off words in which several stand one behind the other:
// it ends where the counts of its header say. Twin of takeFirst in Solidity.
// ErrMalformed when the header or its records are cut off; Parse checks the rest.
func Split(words []fr.Element) (first, rest []fr.Element, err error) {
	if len(words) < HeaderWords {
		return nil, nil, fmt.Errorf("%w: %d words, a header has %d", ErrMalformed, len(words), HeaderWords)
	}
	n, err := counts(words)
	if err != nil {
		return nil, nil, err
	}
	length := Length(n[0], n[1], n[2], n[3], n[4])
	if len(words) < length {
		return nil, nil, fmt.Errorf("%w: %d words, the counts of the first batch give %d", ErrMalformed, len(words), length)
	}
	return words[:length], words[length:], nil
}
