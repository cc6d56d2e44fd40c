package baseline

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/std/hash/sha2"
	"github.com/consensys/gnark/std/math/uints"
	"github.com/consensys/gnark/std/signature/eddsa"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// partCircuit is a part of the circuit, alone.
type partCircuit struct {
	In     [12]frontend.Variable
	Path   [Depth]frontend.Variable
	Index  [Depth]frontend.Variable
	Key    eddsa.PublicKey
	Signed eddsa.Signature
	Data   []uints.U8
	part   func(g *gadgets, c *partCircuit) error
}

func (c *partCircuit) Define(api frontend.API) error {
	g, err := newGadgets(api, "")
	if err != nil {
		return err
	}
	return c.part(g, c)
}

func costOf(t *testing.T, data int, part func(g *gadgets, c *partCircuit) error) int {
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, &partCircuit{Data: make([]uints.U8, data), part: part}, frontend.IgnoreUnconstrainedInputs())
	require.NoError(t, err)
	return ccs.GetNbConstraints()
}

// TestSplit holds the figures of the package's documentation.
func TestSplit(t *testing.T) {
	logger.Disable()
	path := costOf(t, 0, func(g *gadgets, c *partCircuit) error {
		for _, bit := range c.Index { // checked where the index is taken apart
			g.api.Compiler().MarkBoolean(bit)
		}
		g.rootOf(opened{AccountWires{Path: c.Path[:]}, nil, c.Index[:]}, c.In[0])
		return nil
	})
	hash := costOf(t, 0, func(g *gadgets, c *partCircuit) error {
		g.hash2(c.In[0], c.In[1])
		return nil
	})
	signature := costOf(t, 0, func(g *gadgets, c *partCircuit) error {
		return g.verify(c.Signed, c.In[0], c.Key)
	})
	message := costOf(t, 0, func(g *gadgets, c *partCircuit) error {
		g.message(c.In[0], c.In[1:7]...)
		return nil
	})
	floats := costOf(t, 0, func(g *gadgets, c *partCircuit) error {
		g.float(c.In[0], settle.AmountBits)
		g.float(c.In[1], settle.FeeBits)
		return nil
	})
	sha := func(blocks int) int {
		return costOf(t, 64*blocks-9, func(g *gadgets, c *partCircuit) error {
			h, err := sha2.New(g.api)
			if err != nil {
				return err
			}
			h.Write(c.Data)
			h.Sum()
			return nil
		})
	}
	one := sha(1)
	block := sha(2) - one
	share := block * recordBytes / 64

	size := func(transfers int) int {
		ccs, err := Compile(transfers)
		require.NoError(t, err)
		return ccs.GetNbConstraints()
	}
	two := size(2)
	rest := size(3) - two // 130 and 145 bytes: the same number of blocks
	total := rest + share
	rest -= 4*path + 5*hash + signature + message + floats

	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for name, count := range map[string]int{
		"four Merkle paths": 4 * path, "four leaves, one key": 5 * hash, "EdDSA": signature, "message": message, "floats": floats,
		"SHA-256, 15 of 64 bytes": share, "widths, bits, bytes": rest, "a further transfer": total,
		"SHA-256's tables": one - block, "a block of 64 bytes": block, "two transfers": two,
	} {
		t.Logf("%s %d", name, count)
		row := regexp.MustCompile(`(?m)^//\s+` + regexp.QuoteMeta(name) + `\s+` + fmt.Sprint(count) + `$`)
		assert.Regexp(t, row, string(doc), "%s", name)
	}
}
