package backend

import (
	"encoding/json"

	"gatehouse/internal/fault"
	"gatehouse/internal/vault"
)

// ErrCursor is what is said of a cursor that is not one of the list.
var ErrCursor = fault.New(fault.BadRequest,
	"Invalid parameter cursor: it is not one of this list. Begin without it; model, domain, order, language, companies and caller stay the same from page to page").
	With(fault.FieldErrors{"cursor": "is not one of this list"})

// maxCursor is the length in bytes of the longest cursor, which travels in a URL.
const maxCursor = 16 << 10

// Cursors hides places in an order from callers: the values may be of records
// that they may not read, as an order by a many2one is that of its target.
type Cursors struct{ vault *vault.Vault }

// NewCursors makes cursors of a key; nil is one that only this process has.
func NewCursors(key []byte) (*Cursors, error) {
	if key == nil {
		key = vault.NewKey()
	}
	v, err := vault.New(key)
	return &Cursors{v}, err
}

// Seal writes a place; what says of which list.
func (c *Cursors) Seal(place any, what string) (string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return "", err
	}
	return c.vault.Seal(plain, what), nil
}

// Open reads a place of that list; ErrCursor where it is none.
func (c *Cursors) Open(text, what string, place any) error {
	plain, err := c.vault.Open(text, what)
	if err != nil || json.Unmarshal(plain, place) != nil {
		return ErrCursor
	}
	return nil
}

// Follow sets the place behind a page, where it is not too long for a URL.
func (c *Cursors) Follow(k *Keyset, place any, what string) error {
	k.Next = ""
	text, err := c.Seal(place, what)
	if err == nil && len(text) > maxCursor {
		if !k.Wanted {
			return nil
		}
		return fault.New(fault.BadRequest, "The values of this order are too long to read on by a cursor: order by shorter fields, or use offset").
			With(fault.FieldErrors{"cursor": "too long"})
	}
	k.Next = text
	return err
}
