package business

import (
	"math"
	"testing"
)

func TestRoundTo(t *testing.T) {
	tests := []struct{ value, step, want float64 }{
		{2.675, 0.01, 2.68},   // binary 2.67499999999999982
		{-2.675, 0.01, -2.68}, // away from zero
		{1.005, 0.01, 1.01},
		{2.665, 0.01, 2.67},
		{6.614999999999999, 0.01, 6.62}, // 7.35 less 10 %: a few bits were lost
		{1172.7749999999999, 0.01, 1172.78},
		{33.074999999999996, 0.01, 33.08},
		{13.964999999999998, 0.01, 13.97},
		{6.6149, 0.01, 6.61},
		{0.005, 0.01, 0.01},
		{0.0049, 0.01, 0},
		{-0.0049, 0.01, 0},
		{0, 0.01, 0},
		{1234.5, 1, 1235},
		{-1234.5, 1, -1235},
		{1234.4, 1, 1234},
		{1.0005, 0.001, 1.001},
		{1.00005, 0.0001, 1.0001},
		{7.3, 0.05, 7.3}, // Swiss cash rounding
		{7.33, 0.05, 7.35},
		{7.32, 0.05, 7.3},
		{1250, 500, 1500},
		{1249, 500, 1000},
		{2.5, 5, 5},
		{1e15 + 0.3, 0.01, 1e15 + 0.25}, // beyond what a double keeps apart: unchanged
		{0.1 + 0.2, 0.01, 0.3},
		{5, 0, 5},
	}
	for _, tt := range tests {
		if got := roundTo(tt.value, tt.step); math.Abs(got-tt.want) > math.Abs(tt.want)*1e-15 {
			t.Errorf("roundTo(%v, %v) = %v, want %v", tt.value, tt.step, got, tt.want)
		}
	}
	if got := roundTo(-0.001, 0.01); math.Signbit(got) {
		t.Error("a negative trifle rounds to -0")
	}
	for _, odd := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if got := roundTo(odd, 0.01); got != odd && !math.IsNaN(odd) {
			t.Errorf("roundTo(%v) = %v", odd, got)
		}
	}
}

func TestRoundToIsStable(t *testing.T) {
	for _, step := range []float64{0.01, 0.001, 1, 0.05, 0.0001} {
		for i := -2000; i < 2000; i++ {
			once := roundTo(float64(i)*0.0137, step)
			if twice := roundTo(once, step); twice != once {
				t.Fatalf("rounding %v to %v twice gives %v", once, step, twice)
			}
		}
	}
}

func TestCompareTo(t *testing.T) {
	tests := []struct {
		a, b float64
		want int
	}{
		{0.1 + 0.2, 0.3, 0}, {1, 1.004, 0}, {1, 1.006, -1}, {2, 1, 1}, {-1, -1.01, 1}, {0, 0, 0},
	}
	for _, tt := range tests {
		if got := compareTo(tt.a, tt.b, 0.01); got != tt.want {
			t.Errorf("compareTo(%v, %v) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestDecimalPlaces(t *testing.T) {
	for step, want := range map[float64]int64{0.01: 2, 0.001: 3, 0.0001: 4, 0.05: 2, 1: 0, 10: 0, 0: 0, 0.5: 1, 0.000001: 6} {
		if got := decimalPlaces(step); got != want {
			t.Errorf("decimalPlaces(%v) = %d, want %d", step, got, want)
		}
	}
}
