package business

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The facts that every database starts with: countries and their states
// (ISO 3166), currencies (ISO 4217), languages, units, and Odoo's groups,
// access rights and record rules.
//
//go:embed data
var dataFiles embed.FS

// factRow is a line of a data file, by column name.
type factRow struct {
	file   string
	line   int
	column map[string]int
	cells  []string
}

// text gives a cell; a column that the file lacks is a mistake of ours.
func (r factRow) text(column string) string {
	i, ok := r.column[column]
	if !ok {
		panic("data/" + r.file + " has no column " + column)
	}
	return r.cells[i]
}

func (r factRow) bool(column string) bool { return r.text(column) == "1" }

// words splits a cell at blanks.
func (r factRow) words(column string) []string { return strings.Fields(r.text(column)) }

// int gives nil for an empty cell.
func (r factRow) int(column string) any {
	if r.text(column) == "" {
		return nil
	}
	n, err := strconv.ParseInt(r.text(column), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("data/%s:%d: %s: %v", r.file, r.line, column, err))
	}
	return n
}

func (r factRow) float(column string) float64 {
	x, err := strconv.ParseFloat(r.text(column), 64)
	if err != nil {
		panic(fmt.Sprintf("data/%s:%d: %s: %v", r.file, r.line, column, err))
	}
	return x
}

// optional gives nil for an empty cell, so that the column stays NULL.
func (r factRow) optional(column string) any {
	if s := r.text(column); s != "" {
		return s
	}
	return nil
}

// facts reads a data file. The files are part of the program and covered by
// tests, so a broken one is a programming mistake, not an error to handle.
func facts(file string) []factRow {
	raw, err := dataFiles.ReadFile("data/" + file)
	if err != nil {
		panic(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		panic("data/" + file + ": " + err.Error())
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	rows := make([]factRow, 0, len(lines)-1)
	for i, cells := range lines[1:] {
		rows = append(rows, factRow{file: file, line: i + 2, column: column, cells: cells})
	}
	return rows
}

// timezones are the names that a contact's timezone may have.
var timezones = sync.OnceValue(func() map[string]bool {
	raw, err := dataFiles.ReadFile("data/timezones.txt")
	if err != nil {
		panic(err)
	}
	known := map[string]bool{}
	for name := range strings.FieldsSeq(string(raw)) {
		known[name] = true
	}
	return known
})
