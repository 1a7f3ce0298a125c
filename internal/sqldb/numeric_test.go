package sqldb

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// encodeNumeric makes the binary form of decimal text, as the server does.
func encodeNumeric(text string) []byte {
	sign := uint16(0)
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = numericNegative, rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	scale := len(fraction)
	for len(whole)%4 != 0 {
		whole = "0" + whole
	}
	for len(fraction)%4 != 0 {
		fraction += "0"
	}
	weight := len(whole)/4 - 1
	var digits []uint16
	for all := whole + fraction; all != ""; all = all[4:] {
		d, _ := strconv.Atoi(all[:4])
		digits = append(digits, uint16(d))
	}
	for len(digits) > 0 && digits[0] == 0 {
		digits, weight = digits[1:], weight-1
	}
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 {
		weight = 0
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(len(digits)))
	b = binary.BigEndian.AppendUint16(b, uint16(int16(weight)))
	b = binary.BigEndian.AppendUint16(b, sign)
	b = binary.BigEndian.AppendUint16(b, uint16(scale))
	for _, d := range digits {
		b = binary.BigEndian.AppendUint16(b, d)
	}
	return b
}

func TestNumeric(t *testing.T) {
	texts := []string{
		"0", "0.00", "1", "-1", "10000", "9999", "12.50", "0.1", "0.0001", "0.00001", "-0.000000000000000000123",
		"123456789012345678901234567890", "1.7976931348623157", "9007199254740993", "9007199254740991.5",
		"0.3", "2.675", "1000000000000000000000000.000000000000000000000001", "99999999.99",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		text := strconv.FormatUint(random.Uint64()>>random.IntN(60), 10)
		if scale := random.IntN(12); scale > 0 {
			text += "." + strings.Repeat("0", random.IntN(4)) + strconv.FormatUint(random.Uint64()>>random.IntN(60), 10)
		}
		texts = append(texts, text, "-"+text)
	}
	for _, text := range texts {
		n, ok := readNumeric(encodeNumeric(text))
		if !ok {
			t.Fatalf("%s: not read", text)
		}
		if got := string(n.append(nil)); got != text && !(strings.Trim(text, "-0.") == "" && "-"+got == text) {
			t.Errorf("%s: text %s", text, got)
		}
		want, _ := strconv.ParseFloat(text, 64)
		if got := n.float(); math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%s: float %v, want %v", text, got, want)
		}
		whole, _, _ := strings.Cut(text, ".")
		if want, err := strconv.ParseInt(whole, 10, 64); err == nil && n.int() != want {
			t.Errorf("%s: int %d", text, n.int())
		}
	}
}
