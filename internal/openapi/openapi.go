// Package openapi writes OpenAPI documents, 3.1 and 3.0, from plain data:
// operations, models, schemas and errors. It knows nothing of where the data
// comes from or who is to read the document.
package openapi

import "gatehouse/internal/httpapi/wire"

// Document is all that a document says.
type Document struct {
	Title, Doc, Version string
	Server              string // address of the API, without a slash at the end
	TokenURL            string // where OAuth2 clients get their tokens; "": there are none
	Scopes              []Named
	Tags                []Named
	Schemas             []wire.Member
	Headers             []Header
	Errors              []Error
	Operations          []Operation
	// Models get paths of their own: those of the operations that are PerModel,
	// without the placeholder {model}. Without models these stand as they are.
	Models []Model
}

// Named is a name and what it is about.
type Named struct{ Name, Doc string }

// Header describes a header that answers may have.
type Header struct {
	Name   string
	Schema *wire.Schema
}

// Error is a type of error and the status that it comes with.
type Error struct {
	Type   string
	Status int
	Doc    string
}

// Operation is a method on a path.
type Operation struct {
	Method, Path  string // the path with placeholders in braces
	PerModel      bool
	ID, Tag       string
	Summary       string
	Input, Output string // what body and answer hold, in words
	Params        []Param
	Body          *wire.Schema // nil: there is none
	BodyType      string
	BodyOptional  bool
	Example       any // of a body; nil: none
	// Data is what the envelope holds, and Meta what is told beside; without
	// Envelope, Data is the whole answer.
	Envelope   bool
	Data, Meta *wire.Schema
	Also       []Media // answers of other types
	Statuses   []int   // of success
	Tells      []string
	Errors     []string // types
	Access     Access
	Scope      string // that the credential needs; "": none
}

// Access says which credentials an operation takes.
type Access uint8

// The kinds of access.
const (
	_        Access = iota
	Open            // none is needed
	Optional        // with one, more is answered
	Secured         // any credential of the API
	Clients         // those of OAuth2 clients: HTTP Basic, or in the form
)

// Media is an answer that is no JSON.
type Media struct {
	Type   string
	Schema *wire.Schema
}

// Param is a parameter in a path, a query or a header.
type Param struct {
	Name, In, Doc string
	Schema        *wire.Schema
}

// Model is a model with paths of its own.
type Model struct {
	Name, Label string
	// Operations are the ids of those that the model has.
	Operations []string
	Methods    []Method
	// Record is what its records are answered as; Create and Update what is taken.
	Record, Create, Update *wire.Schema
}

// Method is a business method with a path of its own.
type Method struct {
	Name, Doc string
	OnModel   bool // called on the model, not on a record
	// Like is the operation that calls it.
	Like string
}

// The schemas that stand for records of any model, and how those of one model
// are called. A model's name holds no hyphen.
const (
	Record  = "Record"
	Create  = "RecordCreate"
	Creates = "RecordsCreate"
	Update  = "RecordUpdate"

	CreateSuffix  = "-create"
	CreatesSuffix = "-creates"
	UpdateSuffix  = "-update"
)

// Version is a version of OpenAPI.
type Version string

// The versions.
const (
	V31 Version = "3.1.0"
	V30 Version = "3.0.3"
)
