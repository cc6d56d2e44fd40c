package schnorr

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"
	"github.com/consensys/gnark-crypto/ecc/secp256k1/ecdsa"
	secp "github.com/consensys/gnark-crypto/ecc/secp256k1/fr"
	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
)

// WalletSignatureSize is the length of an Ethereum signature r ‖ s ‖ v, in bytes.
const WalletSignatureSize = 65

// DerivationStatement is what the wallet shows before it signs. It is part of
// the key: changing a letter changes every derived key.
const DerivationStatement = "Create my Settle key. Whoever has this signature can spend everything " +
	"that my Settle accounts hold on this rollup, now and in the future, without asking me again. " +
	"I sign this only on a site that I trust, and never send the signature to anyone."

const (
	derivationName    = "Settle"
	derivationVersion = "1"
	derivationType    = "SettleKey"
	derivationTag     = "settle/key/v1"
	domainTypeText    = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
	messageTypeText   = "SettleKey(string statement,address wallet)"
)

var (
	// ErrWalletNotDeterministic reports a wallet whose two signatures of one
	// text differ: its key could never be derived again.
	ErrWalletNotDeterministic = errors.New("wallet signs the same text differently each time, so no key can be recovered from it")
	// ErrWalletSignature reports a signature that is malformed, not in low-s
	// form, or not by the expected address.
	ErrWalletSignature = errors.New("wallet signature is not usable")
)

// Derivation identifies a derived key: one per rollup and wallet.
type Derivation struct {
	ChainID uint64
	Rollup  settle.Address
	Wallet  settle.Address
}

// WalletSigner asks a wallet to sign d (eth_signTypedData_v4 over d.TypedData,
// or the digest d.Digest) and returns r ‖ s ‖ v.
type WalletSigner func(ctx context.Context, d Derivation) ([]byte, error)

type typedField struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// TypedData returns the JSON that eth_signTypedData_v4 takes (EIP-712).
func (d Derivation) TypedData() ([]byte, error) {
	b, err := json.Marshal(map[string]any{
		"types": map[string][]typedField{
			"EIP712Domain": {{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"}},
			derivationType: {{"statement", "string"}, {"wallet", "address"}},
		},
		"primaryType": derivationType,
		"domain":      map[string]any{"name": derivationName, "version": derivationVersion, "chainId": d.ChainID, "verifyingContract": d.Rollup},
		"message":     map[string]any{"statement": DerivationStatement, "wallet": d.Wallet},
	})
	if err != nil {
		return nil, fmt.Errorf("marshal typed data: %w", err)
	}
	return b, nil
}

// Digest returns the EIP-712 digest that the wallet signs.
func (d Derivation) Digest() [32]byte {
	var chain [32]byte
	binary.BigEndian.PutUint64(chain[24:], d.ChainID)
	domain := keccak(hashText(domainTypeText), hashText(derivationName), hashText(derivationVersion), chain[:], addressWord(d.Rollup))
	message := keccak(hashText(messageTypeText), hashText(DerivationStatement), addressWord(d.Wallet))
	digest := keccak([]byte{0x19, 0x01}, domain, message)
	return [32]byte(digest)
}

// DeriveKey asks the wallet to sign twice and turns the signature into a key.
// It refuses a wallet whose two signatures differ (ErrWalletNotDeterministic)
// and signatures that are not the wallet's own (ErrWalletSignature).
func DeriveKey(ctx context.Context, d Derivation, sign WalletSigner) (PrivateKey, error) {
	var signatures [2][]byte
	for i := range signatures {
		raw, err := sign(ctx, d)
		if err != nil {
			return PrivateKey{}, fmt.Errorf("wallet: %w", err)
		}
		if signatures[i], err = d.checkSignature(raw); err != nil {
			return PrivateKey{}, err
		}
	}
	if !bytes.Equal(signatures[0], signatures[1]) {
		return PrivateKey{}, ErrWalletNotDeterministic
	}
	return d.keyFrom(signatures[0])
}

// checkSignature returns r ‖ s ‖ v with v in {27, 28}, as wallets write v either
// from 0 or from 27. A high s, the same signature in another form, is refused.
func (d Derivation) checkSignature(raw []byte) ([]byte, error) {
	if len(raw) != WalletSignatureSize {
		return nil, fmt.Errorf("%w: %d bytes, expected %d", ErrWalletSignature, len(raw), WalletSignatureSize)
	}
	sig := bytes.Clone(raw)
	if sig[64] < 27 {
		sig[64] += 27
	}
	if sig[64] != 27 && sig[64] != 28 {
		return nil, fmt.Errorf("%w: v is %d, expected 0, 1, 27 or 28", ErrWalletSignature, raw[64])
	}
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64])
	if s.Cmp(new(big.Int).Rsh(secp.Modulus(), 1)) > 0 {
		return nil, fmt.Errorf("%w: s is above half the order (EIP-2)", ErrWalletSignature)
	}
	digest := d.Digest()
	var signer ecdsa.PublicKey
	if err := signer.RecoverFrom(digest[:], uint(sig[64]-27), r, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWalletSignature, err)
	}
	x, y := signer.A.X.Bytes(), signer.A.Y.Bytes()
	if address := settle.Address(keccak(x[:], y[:])[12:]); address != d.Wallet {
		return nil, fmt.Errorf("%w: signed by %s, expected %s", ErrWalletSignature, address, d.Wallet)
	}
	return sig, nil
}

// keyFrom hashes a checked signature to a scalar: SHA-512(tag ‖ digest ‖ sig) mod q.
func (d Derivation) keyFrom(sig []byte) (PrivateKey, error) {
	digest := d.Digest()
	wide := sha512.Sum512(bytes.Join([][]byte{[]byte(derivationTag), digest[:], sig}, nil))
	var k scalar.Element
	if k.SetBytes(wide[:]); k.IsZero() {
		return PrivateKey{}, ErrPrivateKey
	}
	return newPrivateKey(k), nil
}

func keccak(parts ...[]byte) []byte {
	h := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func hashText(s string) []byte { return keccak([]byte(s)) }

func addressWord(a settle.Address) []byte { return append(make([]byte, 12), a[:]...) }
