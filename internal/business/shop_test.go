package business

import (
	"strconv"

	"gatehouse/internal/domain"
)

func printID(id int64) string { return strconv.FormatInt(id, 10) }

// both joins conditions.
func both(nodes ...domain.Node) domain.Node { return domain.Conj(nodes...) }

// anyOf is a list of ids as a value of a condition.
func anyOf(ids []int64) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = id
	}
	return list
}
