package report

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strings"
)

//go:embed published.csv
var publishedCSV string

// Published is a figure that others state. None was measured here, and no plot or
// table of results holds one.
type Published struct {
	Project, Figure, Value, Conditions string
	Source, Version, Read              string // where it is stated, in which version, and when it was read there
}

// PublishedFigures are those of published.csv.
func PublishedFigures() ([]Published, error) {
	rows, err := csv.NewReader(strings.NewReader(publishedCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("published figures: %w", err)
	}
	var figures []Published
	for i, row := range rows[1:] {
		for column, cell := range row {
			if cell == "" {
				return nil, fmt.Errorf("published figures: row %d has no %s", i+1, rows[0][column])
			}
		}
		figures = append(figures, Published{row[0], row[1], row[2], row[3], row[4], row[5], row[6]})
	}
	return figures, nil
}
