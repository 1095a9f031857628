package main

import (
	"fmt"
	"go/token"
)

// A mutant is one mistake in one place.
type mutant struct {
	number int // from 1, as the environment variable has it
	pos    token.Position
	what   string
}

// key names a mutant for as long as its file does not change.
func (m mutant) key() string {
	return fmt.Sprintf("%s:%d:%d %s", m.pos.Filename, m.pos.Line, m.pos.Column, m.what)
}

// The mistakes an operator can be replaced by. A comparison has two: the same
// with or without equality, and the opposite.
var (
	compared = map[token.Token][]token.Token{
		token.LSS: {token.LEQ, token.GEQ},
		token.LEQ: {token.LSS, token.GTR},
		token.GTR: {token.GEQ, token.LEQ},
		token.GEQ: {token.GTR, token.LSS},
		token.EQL: {token.NEQ},
		token.NEQ: {token.EQL},
	}
	joined = map[token.Token]token.Token{
		token.LAND: token.LOR,
		token.LOR:  token.LAND,
	}
	computed = map[token.Token]token.Token{
		token.ADD: token.SUB,
		token.SUB: token.ADD,
		token.MUL: token.QUO,
		token.QUO: token.MUL,
		token.REM: token.MUL,
		token.SHL: token.SHR,
		token.SHR: token.SHL,
		token.AND: token.OR,
		token.OR:  token.AND,
	}
	assigned = map[token.Token]token.Token{
		token.ADD_ASSIGN: token.SUB_ASSIGN,
		token.SUB_ASSIGN: token.ADD_ASSIGN,
		token.MUL_ASSIGN: token.QUO_ASSIGN,
		token.QUO_ASSIGN: token.MUL_ASSIGN,
		token.INC:        token.DEC,
		token.DEC:        token.INC,
	}
)
