package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/zksettle/settle/circuits"
	"github.com/zksettle/settle/circuits/cost"
)

type circuitsCmd struct {
	Stats circuitsStatsCmd `cmd:"" help:"Compile shapes and print their constraint counts."`
}

type circuitsStatsCmd struct {
	JSON  bool     `name:"json" help:"Print one JSON object."`
	Shape []string `help:"Shapes to compile." default:"tiny,demo"`
	All   bool     `help:"Compile every shape. This takes some minutes and up to 8 GB of memory."`
}

// circuitStats is the JSON form of the command's output.
type circuitStats struct {
	Circuits []cost.Stats `json:"circuits"`
	Parts    []cost.Part  `json:"parts"` // of the last shape compiled
}

// Run compiles and prints.
func (c circuitsStatsCmd) Run(a *app) error {
	shapes := circuits.Shapes()
	if !c.All {
		shapes = nil
		for _, name := range c.Shape {
			shape, err := circuits.ShapeByName(name)
			if err != nil {
				return err
			}
			shapes = append(shapes, shape)
		}
	}
	var out circuitStats
	for _, shape := range shapes {
		ccs, err := circuits.Compile(shape)
		if err != nil {
			return err
		}
		out.Circuits = append(out.Circuits, cost.StatsOf(shape, ccs))
	}
	var err error
	if out.Parts, err = cost.Parts(shapes[len(shapes)-1]); err != nil {
		return err
	}
	if c.JSON {
		return a.PrintJSON(out)
	}
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "circuit\tshape\ttransfers\taccounts\tnodes\tconstraints\tdomain\tfill\tper transfer\tpublic inputs\tcommitments\tcommitted wires\twires in A\twires in B\t")
	for _, s := range out.Circuits {
		for _, field := range s.Row() {
			fmt.Fprint(w, field, "\t")
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "\npart\tslots\tconstraints each\tof all\t")
	for _, p := range out.Parts {
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%d\t\n", p.Name, p.Slots, p.Each, p.Constraints)
	}
	return w.Flush()
}
