// Command gen writes docs/configuration.md from the settings of package
// config. go generate runs it in that package's folder.
package main

import (
	"log"
	"os"

	"gatehouse/internal/config"
)

func main() {
	if err := os.WriteFile("../../docs/configuration.md", []byte(config.Markdown()), 0o644); err != nil {
		log.Fatal(err)
	}
}
