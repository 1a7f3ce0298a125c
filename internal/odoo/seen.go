package odoo

import (
	"encoding/json"
	"slices"

	"gatehouse/internal/backend"
)

// seen are ids, which a cursor carries as runs: how far each begins behind the
// one before, and how long it is. Records that were imported together have the
// same moment and ids that follow one another, and there may be thousands.
type seen []int64

// maxSeen is how many there may be: each page names them all to the Odoo.
const maxSeen = 50_000

// MarshalJSON implements json.Marshaler.
func (s seen) MarshalJSON() ([]byte, error) {
	ids := slices.Clone(s)
	slices.Sort(ids)
	runs, last := []int64{}, int64(0)
	for _, id := range slices.Compact(ids) {
		if n := len(runs); n > 0 && id == last+1 {
			runs[n-1]++
		} else {
			runs = append(runs, id-last, 1)
		}
		last = id
	}
	return json.Marshal(runs)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *seen) UnmarshalJSON(text []byte) error {
	var runs []int64
	if err := json.Unmarshal(text, &runs); err != nil {
		return err
	}
	*s = nil
	last := int64(0)
	for run := range slices.Chunk(runs, 2) {
		if len(run) != 2 || run[1] < 1 || run[1] > maxSeen || len(*s) > maxSeen {
			return backend.ErrCursor
		}
		for last += run[0]; run[1] > 0; run[1]-- {
			*s = append(*s, last)
			last++
		}
		last--
	}
	return nil
}
