package business

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
)

// SeedVersion changes with the data that Seed writes, so that a new version of
// the program brings what is new to databases that exist.
func SeedVersion() string {
	h := sha256.New()
	err := fs.WalkDir(dataFiles, "data", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := dataFiles.ReadFile(path)
		_, _ = h.Write(text)
		return err
	})
	if err != nil {
		panic(err) // embedded files are always readable
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
