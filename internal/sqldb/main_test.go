package sqldb_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Nothing that a database started may outlive its Close.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
