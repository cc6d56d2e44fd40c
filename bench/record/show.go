package record

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Show writes a value with its unit for readers: three significant digits, times and
// sizes in the unit that suits them, counts in full.
func Show(v float64, unit string) string {
	switch unit {
	case "seconds":
		return showSeconds(v)
	case "bytes":
		return showBytes(v)
	case "1/s":
		return digits(v) + " /s"
	case "ratio":
		return digits(v)
	case "":
		return digits(v)
	}
	return digits(v) + " " + unit
}

func showSeconds(v float64) string {
	switch abs := math.Abs(v); {
	case abs == 0:
		return "0 s"
	case abs < 1e-6:
		return digits(v*1e9) + " ns"
	case abs < 1e-3:
		return digits(v*1e6) + " µs"
	case abs < 1:
		return digits(v*1e3) + " ms"
	case abs < 600:
		return digits(v) + " s"
	}
	return digits(v/60) + " min"
}

func showBytes(v float64) string {
	const step = 1 << 10
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for math.Abs(v) >= step && i < len(units)-1 {
		v, i = v/step, i+1
	}
	return digits(v) + " " + units[i]
}

// digits gives whole numbers in full with commas, others with three significant
// digits or all before the point.
func digits(v float64) string {
	abs := math.Abs(v)
	switch {
	case v == math.Trunc(v) && abs < 1e15:
		return commas(strconv.FormatFloat(v, 'f', 0, 64))
	case abs >= 100:
		return commas(strconv.FormatFloat(v, 'f', 0, 64))
	case abs >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case abs >= 1:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

func commas(whole string) string {
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	var b strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return sign + b.String()
}

// ShowSummary writes a median with its range, where there is one.
func ShowSummary(s Summary, unit string) string {
	if s.Least == s.Most {
		return Show(s.Median, unit)
	}
	return fmt.Sprintf("%s [%s – %s]", Show(s.Median, unit), Show(s.Least, unit), Show(s.Most, unit))
}

// ShowLabels writes labels as "shape demo, accounts 1024", in the order of their keys.
func ShowLabels(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+" "+labels[key])
	}
	return strings.Join(parts, ", ")
}
