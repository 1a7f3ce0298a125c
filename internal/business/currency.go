package business

import "math"

// defaultRounding is the smallest unit of money where no currency says more.
const defaultRounding = 0.01

// roundTo rounds value to the nearest multiple of step, half away from zero.
//
// A value that is half in decimal writing may lie a little below it as a
// binary number (2.675 is 2.67499…), the more so after several operations. So,
// as in Odoo, a tolerance of a few units in the last place tips such a value
// over. Steps below 1 are inverted first: 100 is exact, 0.01 is not.
func roundTo(value, step float64) float64 {
	if value == 0 || step <= 0 || math.IsNaN(value) || math.IsInf(value, 0) {
		return value
	}
	scaled, unit := value/step, 0.0
	if step < 1 {
		unit = math.Round(1 / step)
		if math.Abs(unit*step-1) > 1e-9 {
			unit = 1 / step // a step like 0.3, that does not divide 1
		}
		scaled = value * unit
	}
	size := math.Abs(scaled)
	whole := math.Floor(size + size*math.Ldexp(1, -50) + 0.5)
	if whole == 0 {
		return 0 // never -0
	}
	if unit > 0 {
		return math.Copysign(whole/unit, value)
	}
	return math.Copysign(whole*step, value)
}

// isZero says whether value vanishes when rounded to step.
func isZero(value, step float64) bool { return roundTo(value, step) == 0 }

// compareTo orders two values as they are when rounded to step: -1, 0 or 1.
func compareTo(a, b, step float64) int {
	switch d := roundTo(a, step) - roundTo(b, step); {
	case isZero(d, step):
		return 0
	case d < 0:
		return -1
	}
	return 1
}
