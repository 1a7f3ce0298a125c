// Package nearest finds what a misspelt word was probably meant to be.
package nearest

// Word is the candidate closest to word by edit distance, or "" when none is
// near enough to be what was meant. Ties go to the one that sorts first.
func Word(word string, candidates []string) string {
	best, least := "", len(word)/3+2
	for _, c := range candidates {
		d := Distance(word, c, least+1)
		if d < least || (d == least && best != "" && c < best) {
			best, least = c, d
		}
	}
	return best
}

// Distance is the number of bytes to insert, drop, replace or swap with their
// neighbour to make b of a (optimal string alignment), given up at limit.
func Distance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
