package gnarkcodec_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/logger"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
	"github.com/zksettle/settle/internal/heap"
	"github.com/zksettle/settle/internal/toycircuit"
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

// encoding is one kind of file, as gnark writes it, and how it is read here: again
// as bytes, which must be the same.
type encoding struct {
	raw     []byte
	read    func(raw []byte) ([]byte, error)
	lengths []length
}

// length is where a file says how much of something follows.
type length struct {
	at, bytes int
	order     binary.ByteOrder
	less      bool // less than there is may be read
}

func be32(at int) length  { return length{at: at, bytes: 4, order: binary.BigEndian} }
func be64(at int) length  { return length{at: at, bytes: 8, order: binary.BigEndian} }
func le64(at int) length  { return length{at: at, bytes: 8, order: binary.LittleEndian} }
func inner(at int) length { return length{at: at, bytes: 8, order: binary.LittleEndian, less: true} }

// encodings are all kinds, of keys of groth16.Setup and of a ceremony with one contributor.
func encodings(t *testing.T) map[string]encoding {
	t.Helper()
	out := map[string]encoding{}
	for name, made := range map[string]func() (*toycircuit.Prover, error){"setup": toycircuit.Setup, "ceremony": toycircuit.Ceremony} {
		p, err := made()
		require.NoError(t, err)
		proof, err := p.Prove([3]settle.Element{{31: 1}, {31: 2}, {31: 3}})
		require.NoError(t, err)
		vk, pk := p.VerifyingKey.(*groth16bn254.VerifyingKey), p.ProvingKey.(*groth16bn254.ProvingKey)
		var dump bytes.Buffer
		require.NoError(t, pk.WriteDump(&dump))
		raw, starts := provingKeyLengths(t, pk)
		system := written(t, p.System.WriteTo)

		out[name+"/proof"] = encoding{proof, func(raw []byte) ([]byte, error) {
			proof, err := gnarkcodec.Proof(raw)
			return again(t, err, func(w io.Writer) (int64, error) { return proof.WriteRawTo(w) })
		}, []length{be32(256)}}
		out[name+"/verifying key"] = encoding{written(t, vk.WriteRawTo), func(raw []byte) ([]byte, error) {
			vk, err := gnarkcodec.VerifyingKey(raw)
			return again(t, err, func(w io.Writer) (int64, error) { return vk.WriteRawTo(w) })
		}, []length{be32(576), be32(900), be32(904), be32(908)}}
		out[name+"/proving key"] = encoding{raw, func(raw []byte) ([]byte, error) {
			pk, err := gnarkcodec.ProvingKey(bytes.NewReader(raw), int64(len(raw)))
			return again(t, err, func(w io.Writer) (int64, error) { return pk.WriteRawTo(w) })
		}, starts}
		out[name+"/dump"] = encoding{dump.Bytes(), func(raw []byte) ([]byte, error) {
			pk, err := gnarkcodec.ProvingKeyDump(bytes.NewReader(raw), int64(len(raw)))
			return again(t, err, func(w io.Writer) (int64, error) { return 0, pk.WriteDump(w) })
		}, dumpLengths(t, pk)}
		levels := binary.LittleEndian.Uint64(system[32:])
		instructions := binary.LittleEndian.Uint64(system[40:])
		out[name+"/system"] = encoding{system, func(raw []byte) ([]byte, error) {
			system, err := gnarkcodec.System(bytes.NewReader(raw), int64(len(raw)))
			return again(t, err, func(w io.Writer) (int64, error) { return system.WriteTo(w) })
		}, []length{
			le64(0), le64(32), le64(40), le64(48), le64(56),
			inner(64), inner(int(64 + levels + instructions)),
			le64(len(system) - 8 - 32*p.System.(interface{ GetNbCoefficients() int }).GetNbCoefficients()),
		}}
	}
	return out
}

func written(t *testing.T, write func(io.Writer) (int64, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := write(&b)
	require.NoError(t, err)
	return b.Bytes()
}

func again(t *testing.T, err error, write func(io.Writer) (int64, error)) ([]byte, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	return written(t, write), nil
}

// provingKeyLengths returns the raw encoding and where its lengths stand.
func provingKeyLengths(t *testing.T, pk *groth16bn254.ProvingKey) ([]byte, []length) {
	t.Helper()
	at := 169 + 3*64
	out := []length{be64(0)}
	for _, n := range []int{len(pk.G1.A), len(pk.G1.B), len(pk.G1.Z), len(pk.G1.K)} {
		out = append(out, be32(at))
		at += 4 + 64*n
	}
	at += 2 * 128
	out = append(out, be32(at))
	at += 4 + 128*len(pk.G2.B)
	out = append(out, be64(at), be64(at+8), be64(at+16))
	at += 24 + 2*len(pk.InfinityA)
	basis := len(pk.CommitmentKeys[0].Basis)
	out = append(out, be32(at), be32(at+4), be32(at+8+64*basis))
	raw := written(t, pk.WriteRawTo)
	require.Len(t, raw, at+12+2*64*basis)
	return raw, out
}

func dumpLengths(t *testing.T, pk *groth16bn254.ProvingKey) []length {
	t.Helper()
	var dump bytes.Buffer
	require.NoError(t, pk.WriteDump(&dump))
	at := 8 + 169 + 3*64 + 2*128
	out := []length{be64(8), be64(at), be64(at + 8), be64(at + 16)}
	at += 24 + 2*len(pk.InfinityA)
	out = append(out, be32(at))
	at += 4
	basis := len(pk.CommitmentKeys[0].Basis)
	for i, n := range []int{len(pk.G1.A), len(pk.G1.B), len(pk.G1.Z), len(pk.G1.K), len(pk.G2.B), basis, basis} {
		out = append(out, le64(at))
		at += 8 + n*64
		if i == 4 {
			at += n * 64
		}
	}
	require.Equal(t, dump.Len(), at)
	return out
}

// requireRefused requires that raw is refused and that no more is allocated than in
// proportion to it: keys hold lists whose elements have pointers, and each refusal a text.
func requireRefused(t *testing.T, e encoding, raw []byte, what string, args ...any) {
	t.Helper()
	var err error
	allocated := heap.Allocated(func() { _, err = e.read(raw) })
	require.ErrorIs(t, err, gnarkcodec.ErrEncoding, append([]any{what}, args...)...)
	require.Less(t, allocated, uint64(64*len(raw)+1<<19), append([]any{what}, args...)...)
}

func TestReadsWhatGnarkWrites(t *testing.T) {
	for name, e := range encodings(t) {
		t.Run(name, func(t *testing.T) {
			same, err := e.read(e.raw)
			require.NoError(t, err)
			require.Equal(t, e.raw, same)
		})
	}
}

// TestHostileLengths: each length of each kind of file says something else than is there.
func TestHostileLengths(t *testing.T) {
	for name, e := range encodings(t) {
		t.Run(name, func(t *testing.T) {
			for _, l := range e.lengths {
				field := func(b []byte) []byte { return b[l.at : l.at+l.bytes] }
				value := uint64(0)
				for _, b := range field(e.raw) {
					value = value<<8 | uint64(b)
				}
				if l.order == binary.LittleEndian {
					value = binary.LittleEndian.Uint64(field(e.raw))
				}
				for _, hostile := range []uint64{value - 1, value + 1, 2*value + 1, 1 << 16, 1 << 24, 1 << 31, 1<<32 - 1, 1 << 36, 1 << 40, 1 << 58, 1 << 60, 1 << 62, 1 << 63, 1<<64 - 1} {
					if l.bytes == 4 && hostile>>32 != 0 || hostile == value || l.less && hostile < value {
						continue
					}
					raw := bytes.Clone(e.raw)
					if l.bytes == 4 {
						l.order.PutUint32(field(raw), uint32(hostile))
					} else {
						l.order.PutUint64(field(raw), hostile)
					}
					requireRefused(t, e, raw, "length at %d: %d for %d", l.at, hostile, value)
				}
			}
		})
	}
}

// TestGnarkAllocatesByWhatIsClaimed is why this package is there. A count at its own
// place is easily compared before; but a point that is marked as shorter than it is puts
// another count behind it, and leaves the right one where it is looked for.
func TestGnarkAllocatesByWhatIsClaimed(t *testing.T) {
	e := encodings(t)["setup/proof"]
	claimed, shifted := bytes.Clone(e.raw), bytes.Clone(e.raw)
	binary.BigEndian.PutUint32(claimed[256:], 1<<20)
	clear(shifted[:32])
	shifted[0] = 0x40 // A is at infinity, in 32 bytes
	copy(shifted[32:], e.raw[64:256])
	binary.BigEndian.PutUint32(shifted[224:], 1<<20)
	for what, raw := range map[string][]byte{"a count": claimed, "a point that is too short": shifted} {
		require.Greater(t, heap.Allocated(func() {
			_, err := new(groth16bn254.Proof).ReadFrom(bytes.NewReader(raw))
			require.Error(t, err, what)
		}), uint64(64<<20), what)
		requireRefused(t, e, raw, what)
	}
}

func TestCutAndLongerFiles(t *testing.T) {
	for name, e := range encodings(t) {
		t.Run(name, func(t *testing.T) {
			for cut := range e.raw {
				if cut > 64 && cut < len(e.raw)-64 && cut%37 != 0 {
					continue
				}
				requireRefused(t, e, e.raw[:cut], "%d of %d bytes", cut, len(e.raw))
			}
			for _, more := range [][]byte{{0}, {0xff}, make([]byte, 64), e.raw} {
				requireRefused(t, e, slices.Concat(e.raw, more), "%d bytes more", len(more))
			}
		})
	}
}

// TestOverwrittenFiles: wherever a file says ff ff ff ff or ff ff ff ff ff ff ff ff, or 0,
// nothing panics, and no more is allocated than in proportion to the file. Systems are
// left out: what is inside their sections is gnark's to read.
func TestOverwrittenFiles(t *testing.T) {
	for name, e := range encodings(t) {
		if name == "setup/system" || name == "ceremony/system" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for at := range e.raw {
				for _, with := range [][]byte{bytes.Repeat([]byte{0xff}, 8), bytes.Repeat([]byte{0xff}, 4), make([]byte, 8)} {
					raw := bytes.Clone(e.raw)
					copy(raw[at:], with)
					var same []byte
					var err error
					allocated := heap.Allocated(func() { same, err = e.read(raw) })
					require.Less(t, allocated, uint64(64*len(raw)+1<<19), "%x at %d", with, at)
					if err != nil {
						require.ErrorIs(t, err, gnarkcodec.ErrEncoding)
					} else {
						require.True(t, bytes.Equal(raw, same), "%x at %d: it encodes to other bytes", with, at)
					}
				}
			}
		})
	}
}

// points says where the points of proofs and verifying keys stand, and which are of G2.
func points(kind string) map[int]bool {
	if kind == "proof" {
		return map[int]bool{0: false, 64: true, 192: false, 260: false, 324: false}
	}
	out := map[int]bool{0: false, 64: false, 128: true, 256: true, 384: false, 448: true, 912: true, 1040: true}
	for i := range 5 {
		out[580+64*i] = false
	}
	return out
}

// TestHostilePoints: each point of a proof and of a verifying key off its curve, outside
// its subgroup, in coordinates that are not reduced, compressed, and with the flags of
// encodings that there are not.
func TestHostilePoints(t *testing.T) {
	outside := toycircuit.OffSubgroup()
	all := encodings(t)
	for _, made := range []string{"setup/", "ceremony/"} {
		for _, kind := range []string{"proof", "verifying key"} {
			e := all[made+kind]
			for at, isG2 := range points(kind) {
				size := 64
				if isG2 {
					size = 128
				}
				change := func(what string, f func(point []byte)) {
					raw := bytes.Clone(e.raw)
					f(raw[at : at+size])
					requireRefused(t, e, raw, "%s%s: point at %d %s", made, kind, at, what)
				}
				change("off the curve", func(p []byte) { p[size-1] ^= 1 })
				change("with other flags", func(p []byte) { p[0] |= 0xc0 })
				change("said to be compressed", func(p []byte) { p[0] |= 0x80 })
				change("said to be at infinity", func(p []byte) { p[0] |= 0x40 })
				change("at infinity by its flag", func(p []byte) { clear(p); p[0] = 0x40 }) // zeros say it
				change("at infinity in compressed form", func(p []byte) { clear(p); p[0] = 0xc0 })
				for c := 0; c < size; c += 32 {
					change("not reduced", func(p []byte) {
						copy(p[c:c+32], bytes.Repeat([]byte{0xff}, 32))
						p[c] = 0x3f // no flag
					})
					change("at p", func(p []byte) { fp.Modulus().FillBytes(p[c : c+32]) })
				}
				if isG2 {
					change("outside the subgroup", func(p []byte) { raw := outside.RawBytes(); copy(p, raw[:]) })
				}
			}
		}
	}
}
