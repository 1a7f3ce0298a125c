package httpapi

import (
	"slices"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// MethodLists say by model which business methods may be called over the API:
// those of its list or, where that names some with a ! in front, all but these.
// Models without a list: all public ones.
type MethodLists map[string][]string

// allows says whether a method may be called.
func (l MethodLists) allows(model, method string) bool {
	list, listed := l[model]
	if !listed || slices.Contains(list, method) {
		return true
	}
	denies := slices.ContainsFunc(list, func(name string) bool { return strings.HasPrefix(name, "!") })
	return denies && !slices.Contains(list, "!"+method)
}

// Refuse is the error for a method that is not to be called here, whoever asks;
// nil for all others.
func (l MethodLists) Refuse(model, method string) error {
	if l.allows(model, method) {
		return nil
	}
	return fault.Newf(fault.Forbidden, "The method %s of %s may not be called over this API", wire.Name(method), wire.Name(model))
}
