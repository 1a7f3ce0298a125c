package sqldb

import (
	"encoding/binary"
	"math"
	"strconv"
)

// numeric is PostgreSQL's binary numeric: digits to the base 10000, of which
// the first counts 10000^weight, and the number of decimals to show.
type numeric struct {
	digits []byte // two bytes each
	weight int
	sign   uint16
	scale  int
}

const (
	numericNegative = 0x4000
	numericNaN      = 0xC000
	numericInf      = 0xD000
	numericMinusInf = 0xF000
)

func readNumeric(b []byte) (n numeric, ok bool) {
	if len(b) < 8 {
		return numeric{}, false
	}
	count := int(binary.BigEndian.Uint16(b))
	n = numeric{
		digits: b[8:],
		weight: int(int16(binary.BigEndian.Uint16(b[2:]))),
		sign:   binary.BigEndian.Uint16(b[4:]),
		scale:  int(binary.BigEndian.Uint16(b[6:])),
	}
	return n, len(n.digits) == 2*count
}

func (n numeric) digit(i int) uint16 {
	if i < 0 || 2*i >= len(n.digits) {
		return 0
	}
	return binary.BigEndian.Uint16(n.digits[2*i:])
}

// exactPowers are the powers of ten that double precision holds exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// float is the double nearest to the number, as strconv.ParseFloat rounds.
// When the digits fit into 53 bits, one division of two exact doubles rounds
// correctly; that is the case for nearly every amount.
func (n numeric) float() float64 {
	switch n.sign {
	case numericNaN:
		return math.NaN()
	case numericInf:
		return math.Inf(1)
	case numericMinusInf:
		return math.Inf(-1)
	}
	mantissa, exponent, ok := n.mantissa()
	if !ok || exponent < -22 || exponent > 22 {
		f, _ := strconv.ParseFloat(string(n.append(nil)), 64)
		return f
	}
	f := float64(mantissa)
	if exponent < 0 {
		f /= exactPowers[-exponent]
	} else {
		f *= exactPowers[exponent]
	}
	if n.sign == numericNegative {
		return -f
	}
	return f
}

// mantissa gives the number as mantissa × 10^exponent if that fits 53 bits.
func (n numeric) mantissa() (mantissa uint64, exponent int, ok bool) {
	count := len(n.digits) / 2
	for i := range count {
		mantissa = mantissa*10000 + uint64(n.digit(i))
		if mantissa >= 1<<53 {
			return 0, 0, false
		}
	}
	return mantissa, 4 * (n.weight - count + 1), true
}

// int is the number cut towards zero; what does not fit wraps around.
func (n numeric) int() int64 {
	if n.sign != 0 && n.sign != numericNegative {
		return 0
	}
	var v int64
	for i := range n.weight + 1 {
		v = v*10000 + int64(n.digit(i))
	}
	if n.sign == numericNegative {
		return -v
	}
	return v
}

// append writes the number as PostgreSQL does.
func (n numeric) append(dst []byte) []byte {
	switch n.sign {
	case numericNaN:
		return append(dst, "NaN"...)
	case numericInf:
		return append(dst, "Infinity"...)
	case numericMinusInf:
		return append(dst, "-Infinity"...)
	case numericNegative:
		dst = append(dst, '-')
	}
	if n.weight < 0 {
		dst = append(dst, '0')
	}
	for i := range n.weight + 1 {
		if i == 0 {
			dst = strconv.AppendUint(dst, uint64(n.digit(i)), 10)
		} else {
			dst = appendPadded(dst, int(n.digit(i)), 4)
		}
	}
	if n.scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	end := len(dst) + n.scale
	for i := n.weight + 1; len(dst) < end; i++ {
		dst = appendPadded(dst, int(n.digit(i)), 4)
	}
	return dst[:end]
}
