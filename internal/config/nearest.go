package config

// nearest is the candidate with the fewest letters to change, or "" of none.
func nearest(word string, candidates []string) string {
	best, least := "", 0
	for _, candidate := range candidates {
		if d := distance(word, candidate); best == "" || d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance is the number of letters to insert, drop or replace to make b of a
// (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
