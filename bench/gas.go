package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/params"

	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/internal/toycircuit"
	"github.com/zksettle/settle/prover"
	"github.com/zksettle/settle/provingkeys"
)

// GasConfig says what settles.
type GasConfig struct {
	KeysDir   string
	Shape     string   // settled with real proofs
	Aggregate string   // aggregate shape whose real proofs settle groups too; its keys must be there; empty: none
	Projected []string // shapes settled by the projection, without proofs of their own
	Groups    []int    // batches to one aggregate proof, in the projection
	Seed      uint64   // of accounts and transactions
	Log       *slog.Logger
}

// Limits of L1 that a settlement can meet.
const (
	bytesOfTx  = 128 << 10       // that nodes pass on
	gasOfTx    = params.MaxTxGas // EIP-7825
	gasOfBlock = 60_000_000      // of the dev chain, and assumed of mainnet
)

// Routes of a settlement.
const (
	routeDirect = "direct"     // each batch by its own proof
	routeGroup  = "aggregated" // several by one proof for all of them
)

// projected begins the names of values that are.
const projected = "projected "

// First guesses, and repetitions.
const (
	gasMemory    = 512 << 20             // a chain in memory, a state, toy keys
	gasTakes     = 20 * time.Second      // a repetition of the projection
	gasProofTime = 15 * time.Microsecond // of a real proof, for each element of the domain
	foldTakes    = 300 * time.Second     // a repetition with folded proofs
	gasRepeats   = 2                     // of what has no real proofs, at most: nothing but zero bytes varies
)

// Gas settles batches on a chain in this process and takes the gas of each settlement
// apart: with real proofs of one shape, and by a projection for others (see projectTask).
func Gas(ctx context.Context, c Common, cfg GasConfig) (*record.File, error) {
	for _, n := range cfg.Groups {
		if n < 1 {
			return nil, fmt.Errorf("groups of %d batches, expected at least 1", n)
		}
	}
	b := &gasBench{cfg: cfg, repeats: c.Repeats}
	tasks, err := b.tasks()
	if err != nil {
		return nil, err
	}
	return c.run("gas", map[string]string{
		"shape": cfg.Shape, "aggregate": cfg.Aggregate, "projected": strings.Join(cfg.Projected, ","),
		"groups": numbers(cfg.Groups), "seed": strconv.FormatUint(cfg.Seed, 10),
	}, tasks,
		"Gas depends on the machine in nothing. It varies by the zero bytes of proofs and commitments: that is the spread.",
		"Transactions between random accounts of the shape's population, amounts of 35 random bits times 10^9, fees of 11 bits times 10^12.",
		"A transfer is a transaction of any kind. Load mixed: 5 % open accounts and 5 % exit; load exits: all slots for exits used.",
		"A block is taken to have 60,000,000 gas.",
		"Keys of one party (unsafe-dev); what keys of a ceremony save is measured beside.",
	).Do(ctx)
}

type gasBench struct {
	cfg     GasConfig
	repeats int
}

func (b *gasBench) tasks() ([]record.Task, error) {
	shape, err := circuits.ShapeByName(b.cfg.Shape)
	if err != nil {
		return nil, err
	}
	direct, err := b.directTask(shape)
	if err != nil {
		return nil, err
	}
	tasks := []record.Task{direct}
	if b.cfg.Aggregate != "" {
		group, err := b.groupTask(shape)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, group)
	}
	tasks = append(tasks, b.keysTask(shape))
	for _, name := range b.cfg.Projected {
		shape, err := circuits.ShapeByName(name)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, b.projectTask(shape))
	}
	if len(b.cfg.Projected) > 1 {
		tasks = append(tasks, b.fitTask())
	}
	return tasks, nil
}

// chainTask is a task whose repetitions go on with one chain.
func (b *gasBench) chainTask(name string, shape circuits.Shape, proofs func(ctx context.Context) (gasProofs, error), run func(context.Context, *record.Sample, *gasChain) error) record.Task {
	var chain *gasChain
	return record.Task{
		Name: name, Memory: gasMemory, Prepares: gasTakes, Takes: gasTakes, Repeats: min(b.repeats, gasRepeats),
		Prepare: func(ctx context.Context, _ *record.Sample) error {
			made, err := proofs(ctx)
			if err != nil {
				return err
			}
			chain, err = newGasChain(ctx, shape, b.cfg.Seed, made)
			return err
		},
		Run: func(ctx context.Context, s *record.Sample) error { return run(ctx, s, chain) },
		Close: func() error {
			err := chain.close()
			chain = nil
			return errors.Join(err, release())
		},
	}
}

// directTask settles batches of each load, each by its own real proof.
func (b *gasBench) directTask(shape circuits.Shape) (record.Task, error) {
	keys := shapeKeys{b.cfg.KeysDir, shape, b.cfg.Log}
	memory, domain, err := keys.need()
	if err != nil {
		return record.Task{}, err
	}
	task := b.chainTask("direct "+shape.Name, shape,
		func(ctx context.Context) (gasProofs, error) { return newRealProofs(ctx, keys, "") },
		func(ctx context.Context, s *record.Sample, g *gasChain) error {
			return gasValues{s, "", record.Measured, "", shape.Name, routeDirect}.eachLoad(func(l gasLoad) (gasSettled, error) { return g.direct(ctx, l) })
		})
	task.Memory, task.Takes, task.Repeats = memory+gasMemory, 4*guess(gasProofTime, domain), b.repeats
	return task, nil
}

// groupTask settles full groups by real proofs of the aggregate circuit.
func (b *gasBench) groupTask(shape circuits.Shape) (record.Task, error) {
	aggregate, err := circuits.ParseAggregateShape(b.cfg.Aggregate)
	if err != nil {
		return record.Task{}, err
	}
	if aggregate.Inner != shape.Name {
		return record.Task{}, fmt.Errorf("aggregate shape %s folds proofs of %s, expected of %s", b.cfg.Aggregate, aggregate.Inner, shape.Name)
	}
	keys := shapeKeys{b.cfg.KeysDir, shape, b.cfg.Log}
	id, err := provingkeys.AggregateID(keys.dir, b.cfg.Aggregate, provingkeys.Committed, keys.options())
	if err != nil {
		return record.Task{}, err
	}
	manifest, err := provingkeys.ReadManifest(keys.dir, id, keys.options())
	if err != nil {
		return record.Task{}, err
	}
	inner, _, err := keys.need()
	if err != nil {
		return record.Task{}, err
	}
	task := b.chainTask("aggregated "+b.cfg.Aggregate, shape,
		func(ctx context.Context) (gasProofs, error) { return newRealProofs(ctx, keys, b.cfg.Aggregate) },
		func(ctx context.Context, s *record.Sample, g *gasChain) error {
			values := gasValues{s, "", record.Measured, "", shape.Name, routeGroup}
			return values.eachLoad(func(l gasLoad) (gasSettled, error) { return g.group(ctx, l, aggregate.Slots) })
		})
	task.Memory, task.Takes = inner+prover.Need(manifest)+gasMemory, foldTakes
	task.Repeats = 1 // a minute for each proof, and the gas varies by zero bytes alone
	return task, nil
}

// keysTask measures the verifier under keys of one party, as groth16.Setup makes
// them, and under those of a ceremony, with which it needs one pairing less.
func (b *gasBench) keysTask(shape circuits.Shape) record.Task {
	origins := []struct {
		name  string
		setup func() (*toycircuit.Prover, error)
	}{{"one party", toycircuit.Setup}, {"ceremony", toycircuit.Ceremony}}
	return record.Task{
		Name: "keys", Memory: gasMemory, Takes: gasTakes, Repeats: min(b.repeats, gasRepeats),
		Run: func(ctx context.Context, s *record.Sample) error {
			for _, origin := range origins {
				proofs, err := newToyProofs(shape, 1, origin.setup)
				if err != nil {
					return err
				}
				chain, err := newGasChain(ctx, shape, b.cfg.Seed, proofs)
				if err != nil {
					return err
				}
				settled, err := chain.direct(ctx, loadTransfers)
				if err := errors.Join(err, chain.close()); err != nil {
					return err
				}
				for _, part := range gasParts() {
					if strings.HasPrefix(part, "verification") {
						s.Add(record.Value{
							Name: "gas of the verifier", Labels: map[string]string{"keys": origin.name, "part": part}, Unit: "gas", Better: record.Lower,
							Source: record.Measured, Note: "with proofs of a toy circuit", Value: float64(settled.parts[part]),
						})
					}
				}
			}
			return nil
		},
	}
}

// gasValues adds values of settlements by one route.
type gasValues struct {
	sample       *record.Sample
	prefix       string
	source       record.Source
	note         string
	shape, route string
}

func (v gasValues) value(name, unit string, better record.Better, value float64, labels ...string) {
	all := map[string]string{"shape": v.shape, "route": v.route}
	for i := 0; i+1 < len(labels); i += 2 {
		all[labels[i]] = labels[i+1]
	}
	v.sample.Add(record.Value{Name: v.prefix + name, Labels: all, Unit: unit, Better: better, Source: v.source, Note: v.note, Value: value})
}

// eachLoad settles each load, adds its values, and then what an exit costs beyond
// the transfer that could stand in its place.
func (v gasValues) eachLoad(settleLoad func(gasLoad) (gasSettled, error)) error {
	settled := map[gasLoad]gasSettled{}
	for _, l := range gasLoads() {
		one, err := settleLoad(l)
		if err != nil {
			return fmt.Errorf("load %s: %w", l, err)
		}
		settled[l] = one
		v.add(l, one)
	}
	plain, exits := settled[loadTransfers], settled[loadExits]
	if exits.exits > 0 {
		more := (float64(exits.used) - float64(plain.used)) / float64(exits.exits)
		v.value("gas per exit", "gas", record.Lower, more, "batches", strconv.Itoa(exits.batches), "exits", strconv.Itoa(exits.exits))
	}
	return nil
}

// add adds all that a settlement tells; of groups, parts and limits for one load.
func (v gasValues) add(l gasLoad, s gasSettled) {
	add := func(name, unit string, better record.Better, value float64, labels ...string) {
		v.value(name, unit, better, value, append([]string{"load", string(l), "batches", strconv.Itoa(s.batches)}, labels...)...)
	}
	used := float64(s.used)
	add("gas", "gas", record.Lower, used)
	add("gas per batch", "gas", record.Lower, used/float64(s.batches))
	add("gas per transfer", "gas", record.Lower, used/float64(s.transfers))
	add("gas per 1,000 transfers", "gas", record.Lower, 1000*used/float64(s.transfers))
	binds := 0.0
	if s.used == s.floor {
		binds = 1
	}
	add("floor by calldata (EIP-7623)", "gas", record.Lower, float64(s.floor))
	add("the floor binds", "yes or no", record.Neither, binds)
	add("size of the transaction", "bytes", record.Lower, float64(s.bytes))
	if s.batches > 1 && l != loadMixed {
		return
	}
	for _, part := range gasParts() {
		if gas := s.parts[part]; gas != 0 || part == gasFloor {
			add("gas by part", "gas", record.Lower, float64(gas), "part", part)
		}
	}
	for _, limit := range []struct {
		name        string
		value, most float64
	}{
		{"131,072 bytes of a transaction", float64(s.bytes), float64(bytesOfTx)},
		{"16,777,216 gas of a transaction (EIP-7825)", used, float64(gasOfTx)},
		{"60,000,000 gas of a block", used, gasOfBlock},
	} {
		add("share of a limit", "ratio", record.Lower, limit.value/limit.most, "limit", limit.name)
	}
	if s.batches > 1 {
		return
	}
	for _, count := range []struct {
		name string
		n    int
	}{{"words of D", s.words}, {"transfers", s.transfers}, {"opens", s.opens}, {"exits", s.exits}} {
		counted := v
		counted.source, counted.note = record.Counted, ""
		counted.value(count.name, count.name, record.Neither, float64(count.n), "load", string(l), "batches", strconv.Itoa(s.batches))
	}
}
