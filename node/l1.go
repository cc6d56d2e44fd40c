package node

import (
	"context"
	"crypto/ecdsa"

	"github.com/zksettle/settle/l1"
)

// L1 is an Ethereum node to talk to, and the key to sign with.
type L1 struct {
	URL     string
	Key     *ecdsa.PrivateKey // nil where nothing is signed
	Options []l1.Option       // how the node is asked
}

// Dial connects to the node, which must serve the chain of this id; 0: any.
func (c *L1) Dial(ctx context.Context, chainID uint64, more ...l1.Option) (*l1.Conn, error) {
	return l1.Dial(ctx, c.URL, chainID, append(append([]l1.Option{}, c.Options...), more...)...)
}
