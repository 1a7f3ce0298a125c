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

// mayCall refuses methods that are not to be called here, whoever asks.
func (s *Server) mayCall(model, method string) error {
	if s.deps.Methods.allows(model, method) {
		return nil
	}
	return fault.Newf(fault.Forbidden, "The method %s of %s may not be called over this API", wire.Name(method), wire.Name(model))
}
