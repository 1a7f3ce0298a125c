// Package house holds the rules of this repository that a test can hold: which
// package may import which, how long a file may be, that every package says
// what it is for, and that no file names a folder of somebody's machine.
//
// It has no code to import. CONTRIBUTING.md gives the rules in words.
package house
