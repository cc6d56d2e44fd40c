package provingkeys

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/consensys/gnark"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
)

// dumpInfo says what a dump was made from. A dump is the proving key as it lies
// in the memory of one kind of machine: it loads in a tenth of the time, is never
// copied between machines, and is made again whenever anything here differs.
type dumpInfo struct {
	Dump       File        `json:"dump"`
	ProvingKey settle.Hash `json:"proving_key_sha256"` // of gnark's raw serialization
	Machine    string      `json:"machine"`            // GOOS/GOARCH
	Gnark      string      `json:"gnark"`
}

func machine() string { return runtime.GOOS + "/" + runtime.GOARCH }

// writeDump writes dump and description into folder, each by a rename, the
// description last: a description never stands beside a dump that is not written.
func writeDump(folder string, pk *groth16bn254.ProvingKey, of settle.Hash) error {
	tmp, err := os.MkdirTemp(folder, ".dump-*")
	if err != nil {
		return fmt.Errorf("make dump folder: %w", err)
	}
	err = func() error {
		file, err := writeFile(tmp, dumpFile, func(w io.Writer) error { return pk.WriteDump(w) })
		if err != nil {
			return err
		}
		info := dumpInfo{Dump: file, ProvingKey: of, Machine: machine(), Gnark: gnark.Version.String()}
		if err := writeJSON(tmp, dumpInfoFile, info); err != nil {
			return err
		}
		for _, name := range []string{dumpFile, dumpInfoFile} {
			if err := os.Rename(filepath.Join(tmp, name), filepath.Join(folder, name)); err != nil {
				return fmt.Errorf("place dump: %w", err)
			}
		}
		return nil
	}()
	return errors.Join(err, os.RemoveAll(tmp))
}

// readDump loads the proving key from its dump, or says why it cannot be used.
func readDump(folder string, m *Manifest) (*groth16bn254.ProvingKey, error) {
	data, err := os.ReadFile(filepath.Join(folder, dumpInfoFile))
	if err != nil {
		return nil, fmt.Errorf("description of the dump: %w", err)
	}
	var info dumpInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("description of the dump: %w", err)
	}
	if want := (dumpInfo{info.Dump, m.ProvingKey.SHA256, machine(), gnark.Version.String()}); info != want || info.Dump.Name != dumpFile {
		return nil, errors.New("the dump is of another key, machine or gnark version")
	}
	return readPoints(folder, info.Dump, gnarkcodec.ProvingKeyDump)
}

func readPoints(folder string, want File, decode func(io.Reader, int64) (*groth16bn254.ProvingKey, error)) (pk *groth16bn254.ProvingKey, err error) {
	err = readChecked(folder, want, func(f *os.File) error {
		pk, err = decode(f, want.Bytes)
		return err
	})
	return pk, err
}

// readProvingKey loads the proving key by its dump if that is good, else from the
// raw serialization, and then makes the dump anew.
func readProvingKey(folder string, m *Manifest, warn func(msg string, err error)) (_ *groth16bn254.ProvingKey, fromDump bool, err error) {
	pk, err := readDump(folder, m)
	if err == nil {
		return pk, true, nil
	}
	warn("the proving key's dump is not used", err)
	if pk, err = readPoints(folder, m.ProvingKey, gnarkcodec.ProvingKey); err != nil {
		return nil, false, err
	}
	if err := writeDump(folder, pk, m.ProvingKey.SHA256); err != nil {
		warn("the proving key's dump cannot be written: loads stay slow", err)
	}
	return pk, false, nil
}

func readChecked(folder string, want File, read func(*os.File) error) (err error) {
	f, err := openChecked(folder, want)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := read(f); err != nil {
		return fmt.Errorf("decode %s: %w", want.Name, err)
	}
	return nil
}
