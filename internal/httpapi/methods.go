package httpapi

import (
	"encoding/json"
	"strings"

	"gatehouse/internal/fault"
	"gatehouse/internal/httpapi/wire"
)

// callInput is a request to run a business method.
type callInput struct {
	model, method string
	ids           []int64
	arguments     map[string]any
}

func (s *Server) readCall(c *call) (callInput, error) {
	in := callInput{model: c.event.Model, method: c.r.PathValue("method")}
	if err := methodName(in.method); err != nil {
		return in, err
	}
	if err := s.deps.Methods.Refuse(in.model, in.method); err != nil {
		return in, err
	}
	onRecord := c.r.PathValue("id") != ""
	if onRecord {
		id, err := c.recordID()
		if err != nil {
			return in, err
		}
		in.ids = []int64{id}
	}
	var err error
	if in.arguments, err = s.readArguments(c); err != nil || onRecord {
		return in, err
	}
	in.ids, err = takeIDs(in.arguments)
	return in, err
}

// methodName checks the name in the path.
func methodName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	switch {
	case strings.HasPrefix(name, "_"):
		return fault.New(fault.Forbidden, "Private methods cannot be called: "+wire.Name(name))
	case len(name) > 128 || strings.Trim(name, letters+"0123456789_") != "" || !strings.Contains(letters, name[:1]):
		return notFoundf("No such method: %s", wire.Name(name))
	}
	return nil
}

// takeIDs takes the records of a method out of its arguments.
func takeIDs(arguments map[string]any) ([]int64, error) {
	given, ok := arguments["ids"]
	if !ok {
		return nil, nil
	}
	list, ok := given.([]any)
	if !ok {
		return nil, wrongIDs()
	}
	ids := make([]int64, len(list))
	for i := range list {
		n, ok := list[i].(json.Number)
		if !ok {
			return nil, wrongIDs()
		}
		id, err := n.Int64()
		if err != nil || id <= 0 || id > 1<<31-1 {
			return nil, wrongIDs()
		}
		ids[i] = id
	}
	delete(arguments, "ids")
	return ids, nil
}

func wrongIDs() error {
	const what = "must be a list of ids"
	return fault.New(fault.BadRequest, "ids "+what).With(fault.FieldErrors{"ids": what})
}

// callMethod runs the method and answers what it gives back.
func (s *Server) callMethod(c *call, in callInput) (reply, error) {
	result, err := s.deps.Backend.Call(c.ctx, c.caller, in.model, in.method, in.ids, in.arguments)
	if err != nil {
		return reply{}, err
	}
	return reply{data: result, message: "Method " + in.method + " called successfully"}, nil
}
